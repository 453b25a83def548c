/** An index's text: which images it has for which platforms, and the annotations that its documents will carry. Built anew from what is known. */
import { goJson } from "../../base/canonical-json.ts";
import type { Digest } from "../../oci/digest.ts";
import { formatPlatform, normalizePlatform, type Platform } from "../../oci/platform.ts";
import type { Store } from "../../store/index.ts";

type Strings = Readonly<Record<string, string>>;

export interface IndexPart {
  readonly platform: Platform;
  readonly image: Digest;
  /** of the manifest */
  readonly annotations?: Strings;
  /** of the index's entry for it */
  readonly descriptorAnnotations?: Strings;
}

export interface ImageIndex {
  readonly parts: readonly IndexPart[];
  readonly annotations: Strings;
}

/** The index under its names; its parts are images of the store. The same parts and annotations give the same id. */
export function commitIndex(store: Store, index: ImageIndex, names: readonly string[], document?: Digest): Digest {
  const members = index.parts.map(({ platform, image }) => ({ platform: formatPlatform(normalizePlatform(platform)), image }));
  return store.indexes.commit({ text: formatIndex(index), members, ...(document === undefined ? {} : { document }) }, names);
}

export function readImageIndex(store: Store, id: Digest): ImageIndex {
  return JSON.parse(store.indexes.text(id)) as ImageIndex;
}

function formatIndex({ parts, annotations }: ImageIndex): string {
  return goJson({
    type: "slipway.index.v1",
    parts: parts.map(({ platform, image, ...own }) => {
      const { os, architecture, variant } = normalizePlatform(platform);
      return {
        platform: { architecture, os, variant },
        image,
        annotations: unlessEmpty(own.annotations),
        descriptorAnnotations: unlessEmpty(own.descriptorAnnotations),
      };
    }),
    annotations: sorted(annotations),
  });
}

function unlessEmpty(record: Strings | undefined): Strings | undefined {
  return record === undefined || Object.keys(record).length === 0 ? undefined : sorted(record);
}

function sorted(record: Strings): Strings {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
