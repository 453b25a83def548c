/** What the tests of this folder share: lowering with a busybox that is already resolved, and a graph as readable text. */
import { parseDockerfile } from "../dockerfile/parse.ts";
import type { Digest } from "../oci/digest.ts";
import type { ContainerConfig, ImageConfig } from "../oci/image-config.ts";
import type { Platform } from "../oci/platform.ts";
import { lowerDockerfile } from "./lower.ts";
import { imageKey, type ImageNeed, type Lowering, type LowerOptions, type ResolvedImage } from "./lowering.ts";
import type { Op } from "./op.ts";
import { listVertices, type Vertex } from "./vertex.ts";

export const amd64: Platform = { os: "linux", architecture: "amd64" };
export const basePath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
export const baseLayer = `sha256:${"1".repeat(64)}` as Digest;

const baseTime = "2026-01-02T03:04:05Z";

/** An image of one layer, resolved, as a base for FROM. */
export function createBase(reference: string, config: ContainerConfig = {}, platform: Platform = amd64): ResolvedImage {
  const image: ImageConfig = {
    architecture: platform.architecture,
    os: platform.os,
    created: baseTime,
    config: { Env: [`PATH=${basePath}`], Cmd: ["sh"], ...config },
    rootfs: { type: "layers", diff_ids: [baseLayer] },
    history: [{ created: baseTime, comment: "Imported from -" }],
  };
  return { reference, config: image, chain: [baseLayer], platform };
}

export type TestOptions = Partial<Omit<LowerOptions, "buildArgs" | "images">> & {
  readonly buildArgs?: Readonly<Record<string, string>>;
  /** default: docker.io/library/busybox:latest */
  readonly images?: readonly ResolvedImage[];
};

export function lowering(dockerfile: string, options: TestOptions = {}): Lowering {
  const { buildArgs = {}, images = [createBase("docker.io/library/busybox:latest")], ...rest } = options;
  return lowerDockerfile({
    dockerfile: parseDockerfile(dockerfile),
    contextId: "test",
    target: undefined,
    labels: {},
    buildPlatform: amd64,
    targetPlatform: amd64,
    platformGiven: false,
    showPlatform: false,
    network: "default",
    extraHosts: [],
    shmSizeBytes: undefined,
    ulimits: [],
    noCache: false,
    namedContexts: new Map(),
    ...rest,
    buildArgs: new Map(Object.entries(buildArgs)),
    images: new Map(images.map((image) => [imageKey(image.reference.replace(/@.*/, ""), image.platform), image])),
  });
}

export type Lowered = Extract<Lowering, { kind: "done" }>;

export function lower(dockerfile: string, options: TestOptions = {}): Lowered {
  const result = lowering(dockerfile, options);
  if (result.kind === "done") return result;
  throw new Error(`images are missing: ${result.images.map(({ reference }) => reference).join()}`);
}

export function needs(dockerfile: string, options: TestOptions = {}): readonly ImageNeed[] {
  const result = lowering(dockerfile, { images: [], ...options });
  return result.kind === "need" ? result.images : [];
}

export function createdBy(lowered: Lowered): readonly (string | undefined)[] {
  return lowered.image.history.map(({ entry }) => entry.created_by);
}

/** The graph, inputs first, one line a vertex: `number: name <inputs> op`. */
export function dump(root: Vertex | undefined): readonly string[] {
  const vertices = root === undefined ? [] : listVertices([root]);
  const numbers = new Map(vertices.map(({ digest }, index) => [digest, index]));
  return vertices.map(
    ({ op, inputs, metadata }, index) => `${index}: ${metadata.name} <${inputs.map(({ digest }) => numbers.get(digest)).join()}> ${describe(op)}`,
  );
}

function describe(op: Op): string {
  const { type, ...parts } = op;
  const shown = Object.entries(parts).filter(
    ([, value]) => value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0) && value !== "",
  );
  return `${type} ${JSON.stringify(Object.fromEntries(shown))}`;
}
