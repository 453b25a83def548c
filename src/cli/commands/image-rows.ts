/** How images appear in lists: a row for each name, one with <none> for an image without. */
import { hexOf } from "../../oci/digest.ts";
import type { ImageSummary } from "../../engine/api.ts";
import type { RowType } from "../render.ts";
import { formatGoTime } from "../go-time.ts";
import { formatAgo, formatSize } from "../units.ts";

export interface ImageRow {
  readonly image: ImageSummary;
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
}

const none = "<none>";

function splitTag(name: string): { repository: string; tag: string } {
  const colon = name.lastIndexOf(":");
  return colon > name.lastIndexOf("/") ? { repository: name.slice(0, colon), tag: name.slice(colon + 1) } : { repository: name, tag: none };
}

/** A row for each tag; an image that only a digest names has one with its repository. */
export function imageRows(images: readonly ImageSummary[]): readonly ImageRow[] {
  return images.flatMap((image) => {
    const digestOf = new Map(image.repoDigests.map((name) => [name.slice(0, name.indexOf("@")), name.slice(name.indexOf("@") + 1)]));
    const tagged = image.repoTags.map((name) => {
      const { repository, tag } = splitTag(name);
      return { image, repository, tag, digest: digestOf.get(repository) ?? none };
    });
    if (tagged.length > 0) return tagged;
    const [first] = digestOf;
    const [repository, digest] = first ?? [none, none];
    return [{ image, repository, tag: none, digest }];
  });
}

export function shownId(id: string, full: boolean): string {
  if (full) return id;
  return (id.includes(":") ? hexOf(id as ImageSummary["id"]) : id).slice(0, 12);
}

export function imageRowType(nowMs: number, noTrunc: boolean): RowType<ImageRow> {
  return {
    typeName: "*formatter.imageContext",
    fields: {
      Containers: (row) => String(row.image.containers),
      CreatedAt: (row) => formatGoTime(row.image.createdSeconds),
      CreatedSince: (row) => formatAgo(row.image.createdSeconds * 1000, nowMs),
      Digest: (row) => row.digest,
      ID: (row) => shownId(row.image.id, noTrunc),
      Repository: (row) => row.repository,
      SharedSize: (row) => formatSize(layerSum(row.image, true)),
      Size: (row) => formatSize(row.image.sizeBytes, 3),
      Tag: (row) => row.tag,
      UniqueSize: (row) => formatSize(layerSum(row.image, false)),
      VirtualSize: (row) => formatSize(row.image.sizeBytes),
    },
    headings: {
      ID: "IMAGE ID",
      CreatedSince: "CREATED",
      CreatedAt: "CREATED AT",
      SharedSize: "SHARED SIZE",
      UniqueSize: "UNIQUE SIZE",
      VirtualSize: "SIZE",
    },
  };
}

function layerSum(image: ImageSummary, shared: boolean): number {
  return image.layers.filter((layer) => layer.shared === shared).reduce((sum, layer) => sum + layer.sizeBytes, 0);
}
