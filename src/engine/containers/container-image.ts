/** What a container starts from: an image by name or id, or the result of a build's step by the id of its cache record. */
import { SlipwayError } from "../../base/errors.ts";
import type { ContainerConfig as ImageContainerConfig } from "../../oci/image-config.ts";
import { familiarName, parseReference, withDefaultTag } from "../../oci/reference.ts";
import type { RegistryClient } from "../../registry/index.ts";
import type { Chain, Store } from "../../store/index.ts";
import type { PullEvent, RunOptions } from "../api.ts";
import { findImage } from "../image-names.ts";
import { pullWithEvents } from "../pull-task.ts";

export interface ContainerImage {
  /** "" for an intermediate result */
  readonly imageId: string;
  readonly chain: Chain;
  readonly config: ImageContainerConfig;
}

/** Fails with NO_SUCH_IMAGE, or what pulling fails with. */
export async function imageFor(
  store: Store,
  client: () => Promise<RegistryClient>,
  options: RunOptions,
  onPull: ((event: PullEvent) => void) | undefined,
): Promise<ContainerImage> {
  const local = options.pull === "always" ? undefined : localImage(store, options.image);
  if (local !== undefined) return local;
  if (options.pull === "never") throw noLocalImage(options.image);
  const reference = withDefaultTag(parseReference(options.image));
  await pullWithEvents(
    store,
    client,
    familiarName(reference),
    { ...(options.platform === undefined ? {} : { platform: options.platform }), ...(options.signal === undefined ? {} : { signal: options.signal }) },
    onPull ?? (() => {}),
  );
  const pulled = localImage(store, options.image);
  if (pulled === undefined) throw noLocalImage(options.image);
  return pulled;
}

function noLocalImage(image: string): SlipwayError {
  return new SlipwayError("not_found", "NO_SUCH_IMAGE", `No such image: ${image}`, { image });
}

function localImage(store: Store, ref: string): ContainerImage | undefined {
  const found = findImage(store, ref);
  if (found !== undefined) return { imageId: found.id, chain: store.images.chain(found.id), config: store.images.config(found.id).config };
  return intermediate(store, ref);
}

function intermediate(store: Store, ref: string): ContainerImage | undefined {
  const hex = /^(?:sha256:)?([0-9a-f]{6,64})$/.exec(ref)?.[1];
  if (hex === undefined) return undefined;
  const [record, other] = store.cache.byPrefix(hex);
  if (record === undefined) return undefined;
  if (other !== undefined) throw new SlipwayError("invalid_argument", "AMBIGUOUS_ID", `multiple IDs found with provided prefix: ${ref}`, { prefix: ref });
  const { env, cwd, user } = record.config;
  return {
    imageId: "",
    chain: record.chain,
    config: {
      ...(env === undefined ? {} : { Env: env }),
      ...(cwd === undefined ? {} : { WorkingDir: cwd }),
      ...(user === undefined ? {} : { User: user }),
      Cmd: ["/bin/sh"],
    },
  };
}
