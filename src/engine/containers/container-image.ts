/** What a container starts from: an image by name or id, or the result of a build's step by the id of its cache record. */
import type { PolicyGate } from "../policy-gate.ts";
import { isSlipwayError, SlipwayError } from "../../base/errors.ts";
import type { Digest } from "../../oci/digest.ts";
import type { ContainerConfig as ImageContainerConfig } from "../../oci/image-config.ts";
import { normalizePlatform, parsePlatform, platformFrom, type Platform } from "../../oci/platform.ts";
import { familiarName, parseReference, withDefaultTag } from "../../oci/reference.ts";
import type { RegistryClient } from "../../registry/index.ts";
import type { Chain, Store } from "../../store/index.ts";
import type { RunOptions } from "../api.ts";
import type { PullEvent } from "../registry-api.ts";
import { withoutMark } from "../debug/step-mark.ts";
import { findStepResult } from "../debug/step-result.ts";
import { findImage } from "../image-names.ts";
import { noSuchPlatform, ownVariant, variantFor } from "../images/variants.ts";
import { pullWithEvents } from "../pull-task.ts";

export interface ContainerImage {
  /** "" for an intermediate result */
  readonly imageId: string;
  readonly chain: Chain;
  readonly config: ImageContainerConfig;
  /** undefined for an intermediate result */
  readonly platform?: Platform;
}

/** Fails with NO_SUCH_IMAGE, or what pulling fails with. */
export async function imageFor(
  store: Store,
  client: () => Promise<RegistryClient>,
  given: RunOptions,
  onPull: ((event: PullEvent) => void) | undefined,
  gate?: PolicyGate,
): Promise<ContainerImage> {
  const options = { ...given, image: withoutMark(given.image) };
  const want = options.platform === undefined || options.platform === "" ? undefined : parseWantedPlatform(options.platform);
  const local = asReference(() => (options.pull === "always" ? undefined : localImage(store, options.image, want)));
  if (local !== undefined) {
    const found = gate === undefined ? undefined : findImage(store, options.image);
    const image = found === undefined ? undefined : { id: found.id, used: local.imageId as Digest };
    await gate?.here("run", found === undefined ? options.image : (found.name ?? found.repoDigest?.repository), image, options.signal);
    return local;
  }
  // nothing that a registry has can be called so: told in Docker's words
  if (/^[0-9a-f]{64}$/.test(options.image)) throw noLocalImage(store, `sha256:${options.image}`, want);
  if (options.pull === "never") throw noLocalImage(store, options.image, want);
  const reference = withDefaultTag(parseReference(options.image));
  const pull = {
    ...(options.platform === undefined ? {} : { platform: options.platform }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  };
  try {
    const { id } = await pullWithEvents(store, client, familiarName(reference), pull, onPull ?? (() => {}), (name, call) =>
      gate === undefined ? Promise.resolve(undefined) : gate.pulled("run", name, call),
    );
    const pulled = imageOn(store, id, want);
    // a registry that has an image for one platform alone gives it whatever is asked for
    if (pulled === undefined && want !== undefined) throw noSuchPlatform(store, id, options.image, want);
    return pulled ?? containerImage(store, id);
  } catch (error) {
    options.signal?.throwIfAborted();
    // The name is here, for other platforms: that is what the caller has to know.
    if (want !== undefined && options.pull !== "always" && findImage(store, options.image) !== undefined) throw noLocalImage(store, options.image, want, error);
    throw error;
  }
}

/** For whoever makes a container a name that no image can have is no name at all. */
function asReference<T>(look: () => T): T {
  try {
    return look();
  } catch (error) {
    if (!isSlipwayError(error, "INVALID_IMAGE_NAME")) throw error;
    throw new SlipwayError(error.kind, "INVALID_REFERENCE", error.message, error.details, error);
  }
}

/** Fails with INVALID_PLATFORM (invalid_argument). */
function parseWantedPlatform(text: string): Platform {
  return normalizePlatform(parsePlatform(text));
}

function noLocalImage(store: Store, image: string, want: Platform | undefined, cause?: unknown): SlipwayError {
  const found = want === undefined ? undefined : findImage(store, image);
  if (found !== undefined && want !== undefined) return noSuchPlatform(store, found.id, image, want, cause);
  return new SlipwayError("not_found", "NO_SUCH_IMAGE", `No such image: ${image}`, { image });
}

/** Of an index the image for the platform, or for this machine where none is asked for. */
function localImage(store: Store, ref: string, want: Platform | undefined): ContainerImage | undefined {
  const found = findImage(store, ref);
  return found === undefined ? intermediate(store, ref) : imageOn(store, found.id, want);
}

function imageOn(store: Store, id: Digest, want: Platform | undefined): ContainerImage | undefined {
  const variant = want === undefined ? ownVariant(store, id) : variantFor(store, id, want);
  return variant === undefined ? undefined : containerImage(store, variant.image);
}

function containerImage(store: Store, id: Digest): ContainerImage {
  const image = store.images.config(id);
  return { imageId: id, chain: store.images.chain(id), config: image.config, platform: platformFrom(image) };
}

function intermediate(store: Store, ref: string): ContainerImage | undefined {
  const result = findStepResult(store, ref);
  if (result === undefined) return undefined;
  const { env, cwd, user } = result;
  return {
    imageId: "",
    chain: result.chain,
    config: {
      ...(env === undefined ? {} : { Env: env }),
      ...(cwd === undefined ? {} : { WorkingDir: cwd }),
      ...(user === undefined ? {} : { User: user }),
      Cmd: ["/bin/sh"],
    },
  };
}
