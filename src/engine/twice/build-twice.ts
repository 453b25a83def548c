/** `verify --twice`: the build as ever, then all of it again as on another machine, and what came out differently. */
import { realpathSync, rmSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { SlipwayError } from "../../base/errors.ts";
import type { Digest } from "../../oci/digest.ts";
import type { Json } from "../../oci/bounded-json.ts";
import type { Store } from "../../store/index.ts";
import type { BuildContext, BuildOptions, DockerfileSource } from "../api.ts";
import { buildImage, openBuild, type BuildSurroundings } from "../build/build-image.ts";
import { parseBuild } from "../build/lint.ts";
import { targetPlatforms } from "../build/target-platforms.ts";
import { forgetImage } from "../images/remove.ts";
import type { LayerDifference, TwiceOptions, TwiceResult } from "../twice-api.ts";
import { compareConfigs } from "./compare-configs.ts";
import { compareLayers } from "./compare-layers.ts";
import { copyAsOtherCheckout, pathInCopy } from "./other-checkout.ts";

const defaultLimit = 20;
/** a clock that shows whole seconds has moved on after that */
const otherSecondMs = 1100;

/** Fails as build does, and with SEVERAL_PLATFORMS (unsupported). */
export async function buildTwice(options: TwiceOptions, surroundings: BuildSurroundings): Promise<TwiceResult> {
  const { store } = surroundings;
  const signal = options.signal ?? new AbortController().signal;
  if (targetPlatforms({ platforms: options.platforms ?? [] }).several) {
    throw new SlipwayError("unsupported", "SEVERAL_PLATFORMS", "--twice compares the images of one platform: name one", { bare: true });
  }
  const before = new Set(store.images.all().map(({ id }) => id));
  const made: Digest[] = [];
  const build = async (asked: BuildOptions, checkout?: string): Promise<Digest> => {
    const outputs = [{ type: "image", attributes: {} }] as const;
    const { imageId } = await buildImage({ ...asked, tags: [], outputs }, { ...surroundings, checkout });
    if (imageId === undefined) throw new SlipwayError("internal", "INTERNAL", "a build for the store made no image");
    made.push(imageId);
    return imageId;
  };
  // A stream is read once: both builds have to have the same.
  if (options.context.kind === "stream") {
    throw new SlipwayError("invalid_argument", "INVALID_CONTEXT", "--twice wants a directory or an address: standard input cannot be read twice", {
      bare: true,
    });
  }
  const directory = store.layers.workDirectory("twice");
  try {
    const first = await build(options);
    const [{ asked, checkout }] = await Promise.all([asOtherCheckout(options, surroundings, directory, signal), delay(otherSecondMs, undefined, { signal })]);
    const second = await build({ ...asked, noCache: true }, checkout);
    return await compare(store, [first, second], options.limit ?? defaultLimit, signal);
  } finally {
    for (const id of new Set(made)) if (!before.has(id)) forgetImage(store, id);
    rmSync(directory, { recursive: true, force: true });
  }
}

interface OtherCheckout {
  readonly asked: BuildOptions;
  /** what git is asked is asked where the commit is: the copy may have no .git */
  readonly checkout?: string;
}

async function asOtherCheckout(options: TwiceOptions, surroundings: BuildSurroundings, directory: string, signal: AbortSignal): Promise<OtherCheckout> {
  if (options.context.kind !== "directory") return { asked: options };
  const { context, loaded } = await openBuild(options, { ...surroundings, onProgress: () => undefined }, signal);
  copyAsOtherCheckout(context.directory, directory, parseBuild(loaded).ignore);
  const copied: BuildContext = { kind: "directory", path: directory };
  return { asked: { ...options, context: copied, ...dockerfileIn(options.dockerfile, context.directory, directory) }, checkout: context.directory };
}

/** A Dockerfile that is ignored lies in the original only. */
function dockerfileIn(source: DockerfileSource | undefined, from: string, to: string): { readonly dockerfile?: DockerfileSource } {
  if (source === undefined) return existingPath(`${from}/Dockerfile`) === undefined ? {} : { dockerfile: { kind: "path", path: `${from}/Dockerfile` } };
  if (source.kind !== "path") return { dockerfile: source };
  const whole = source.path.startsWith("/") ? source.path : `${from}/${source.path}`;
  return { dockerfile: { kind: "path", path: existingPath(whole) ?? pathInCopy(whole, from, to) } };
}

function existingPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

async function compare(store: Store, [first, second]: readonly [Digest, Digest], limit: number, signal: AbortSignal): Promise<TwiceResult> {
  if (first === second) return { first, second, isSame: true, layers: [], config: [] };
  const [one, other] = [store.images.chain(first), store.images.chain(second)];
  const origin = store.images.origin(first);
  const layers: LayerDifference[] = [];
  for (let layer = 0; layer < Math.max(one.length, other.length); layer++) {
    const [a, b] = [one[layer], other[layer]];
    if (a === b) continue;
    const found = a === undefined || b === undefined ? { files: [], more: 0 } : await compareLayers(store, [a, b], limit, signal);
    const line = origin?.lines[layer];
    const lines = line === undefined ? undefined : { start: line.start, end: line.end };
    layers.push({ layer, first: a, second: b, lines, instruction: line?.instruction, ...found });
  }
  const config = (id: Digest): Json => JSON.parse(Buffer.from(store.blobs.read(id)).toString()) as Json;
  return { first, second, isSame: false, layers, config: compareConfigs(config(first), config(second)) };
}
