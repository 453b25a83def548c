/**
 * How BuildKit identifies a step in its cache: the digest of the step's definition, and for each input how it counts, by
 * its own identity below a selector, by the content that the step takes from it, or both. The definition is the JSON that
 * Go makes of BuildKit's LLB, so the order of members and what is left out when zero are part of it.
 * @see https://github.com/moby/buildkit/blob/master/solver/pb/ops.proto
 */
import { goJson } from "../../base/canonical-json.ts";
import { digestOf, type Digest } from "../../oci/digest.ts";
import type { ExecOp, ImageOp } from "../../graph/op.ts";
import type { Vertex } from "../../graph/vertex.ts";
import { chainId } from "../../store/index.ts";
import { nonZero, type CacheMap } from "./definition.ts";
import { execMounts, execSecretEnv } from "./exec-mounts.ts";
import { fileCacheMap } from "./file-cache-map.ts";

/** undefined: a step that BuildKit would not have, or whose identity only running it tells. */
export function cacheMapOf(vertex: Vertex): CacheMap | undefined {
  const { op, inputs } = vertex;
  switch (op.type) {
    case "image":
      return op.chain.length === 0 ? undefined : imageMap(op);
    case "local":
    case "git":
    case "http":
    case "diff":
      return undefined;
    case "merge":
      return inputs.length === 0 ? undefined : mergeMap(inputs.length);
    case "file":
      return fileCacheMap(op, inputs);
    case "exec":
      return execMap(op, inputs);
  }
}

function imageMap({ chain, reference, platform }: ImageOp): CacheMap {
  const digest = digestOf(`buildkit.source.v0:${chainId(chain)}`);
  const at = /@(sha256:[0-9a-f]{64})$/.exec(reference)?.[1];
  if (at === undefined) return { digest, inputs: [] };
  const { os, architecture, variant } = platform;
  const manifest = digestOf(goJson({ Digest: at, OS: os, Arch: architecture, ...(variant === undefined ? {} : { Variant: variant }) }));
  return { digest, alias: digestOf(`buildkit.source.v0:${manifest}`), inputs: [] };
}

function mergeMap(count: number): CacheMap {
  const indexes = Array.from({ length: count }, (_, index) => index);
  const Merge = { inputs: indexes.map((input) => nonZero({ input })) };
  return {
    digest: digestOf(goJson({ Type: "buildkit.merge.v0", Merge })),
    inputs: indexes.map((index) => ({ source: { kind: "input", index }, selector: "", content: undefined })),
  };
}

const networkModes: Readonly<Record<ExecOp["network"], number>> = { default: 0, host: 1, none: 2 };

function execMap(op: ExecOp, inputs: readonly Vertex[]): CacheMap | undefined {
  const mounts = execMounts(op, inputs);
  const { os, architecture, variant } = op.platform;
  const exec = nonZero({
    meta: nonZero({
      args: op.args,
      env: op.env,
      cwd: op.cwd,
      user: op.user,
      extraHosts: op.extraHosts.map((host) => ({ Host: host.split(/[=:]/)[0] })),
      hostname: op.hostname === "buildkitsandbox" ? "" : op.hostname,
      ulimit: op.ulimits.map(ulimitOf),
      removeMountStubsRecursive: true,
    }),
    mounts: mounts.definition,
    network: networkModes[op.network],
    security: op.security === "insecure" ? 1 : 0,
    secretenv: execSecretEnv(op),
  });
  const definition = { Type: "buildkit.exec.v0", Exec: exec, OS: os, Arch: architecture, ...(variant === undefined ? {} : { Variant: variant }) };
  return { digest: digestOf(goJson(definition)), inputs: mounts.inputs };
}

function ulimitOf(text: string): object {
  const [name = "", limits = ""] = text.split("=");
  const [soft = "", hard = soft] = limits.split(":");
  return nonZero({ Name: name, Soft: Number(soft), Hard: Number(hard) });
}

/** Of an edge: a step's output, or a content that was computed (-1). */
export function edgeKey(digest: Digest, output: number): Digest {
  return digestOf(`${digest}@${output}`);
}
