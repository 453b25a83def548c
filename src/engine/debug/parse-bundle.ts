/** The record in a bundle, which anybody may have written: what is not as it should be is refused, what only a build may grant is left out. */
import { SlipwayError } from "../../base/errors.ts";
import { isDigest, type Digest } from "../../oci/digest.ts";
import { hostPlatform, parsePlatform } from "../../oci/platform.ts";
import { parseUlimit } from "../../runtime/ulimit.ts";
import type { RecordedFiles, RecordedMount, StepRecord } from "../../solver/step-record.ts";

export interface ParsedBundle {
  readonly record: StepRecord;
  /** by diffID: the blob that has the layer */
  readonly layers: ReadonlyMap<Digest, Digest>;
}

export function invalidBundle(why: string): SlipwayError {
  return new SlipwayError("invalid_argument", "BUNDLE_INVALID", `this is no saved step: ${why}`, { bare: true });
}

const maxItems = 10_000;
const proxyPattern = /^(?:https?|ftp|no|all)_proxy$/i;

/** Fails with BUNDLE_INVALID (invalid_argument). */
export function parseBundle(document: Uint8Array): ParsedBundle {
  const top = objectOf(parseJson(document), "the document");
  if (top["version"] !== 1) throw invalidBundle("it was written by a newer Slipway");
  const layers = listOf(top["layers"], "layers").map((item) => {
    const layer = objectOf(item, "a layer");
    return [digestIn(layer["diffId"]), digestIn(layer["digest"])] as const;
  });
  return { record: recordOf(objectOf(top["record"], "the record")), layers: new Map(layers) };
}

function recordOf(value: Fields): StepRecord {
  const { lines, exitCode, message, shmSizeBytes } = value;
  const outcome = value["outcome"];
  const ulimits = texts(value["ulimits"], "ulimits");
  for (const ulimit of ulimits) parseUlimit(ulimit);
  return {
    outcome: outcome === "failed" || outcome === "stopped" ? outcome : "interrupted",
    name: text(value["name"], "name"),
    dockerfile: text(value["dockerfile"], "dockerfile"),
    ...(lines === undefined ? {} : { lines: linesOf(objectOf(lines, "lines")) }),
    ...(exitCode === undefined ? {} : { exitCode: whole(exitCode, "exitCode") }),
    ...(message === undefined ? {} : { message: text(message, "message") }),
    endedMs: whole(value["endedMs"], "endedMs"),
    args: texts(value["args"], "args"),
    shell: texts(value["shell"], "shell"),
    env: texts(value["env"], "env"),
    proxies: texts(value["proxies"], "proxies").filter((name) => proxyPattern.test(name)),
    cwd: absolute(value["cwd"], "cwd"),
    user: text(value["user"], "user"),
    network: value["network"] === "none" ? "none" : "default",
    security: "sandbox",
    extraHosts: texts(value["extraHosts"], "extraHosts"),
    hostname: text(value["hostname"], "hostname"),
    ...(shmSizeBytes === undefined ? {} : { shmSizeBytes: whole(shmSizeBytes, "shmSizeBytes") }),
    ulimits,
    platform: platformOf(objectOf(value["platform"], "platform")),
    root: filesOf(value["root"]),
    mounts: listOf(value["mounts"], "mounts").map((mount) => mountOf(objectOf(mount, "a mount"))),
  };
}

function mountOf(value: Fields): RecordedMount {
  const { type } = value;
  if (type === "secret" || type === "ssh") {
    const { target, env } = value;
    const base = { id: text(value["id"], "id"), required: value["required"] === true, mode: whole(value["mode"], "mode") };
    const owner = { uid: whole(value["uid"], "uid"), gid: whole(value["gid"], "gid") };
    if (type === "ssh") return { type, ...base, ...owner, target: absolute(target, "target") };
    return {
      type,
      ...base,
      ...owner,
      target: target === undefined ? undefined : absolute(target, "target"),
      env: env === undefined ? undefined : text(env, "env"),
    };
  }
  if (type !== "bind" && type !== "cache" && type !== "tmpfs") throw invalidBundle("it has a mount of another kind");
  return {
    type,
    target: absolute(value["target"], "target"),
    files: filesOf(value["files"]),
    source: absolute(value["source"], "source"),
    readonly: value["readonly"] === true,
  };
}

/** Directories and caches are those of the machine that it was made on. */
function filesOf(value: unknown): RecordedFiles {
  const files = objectOf(value, "files");
  const chain = listOf(files["chain"], "chain").map(digestIn);
  if (files["root"] === undefined) return { chain };
  const root = objectOf(files["root"], "root");
  return { chain, root: { uid: whole(root["uid"], "uid"), gid: whole(root["gid"], "gid"), mode: whole(root["mode"], "mode") & 0o7777 } };
}

function platformOf({ os, architecture, variant }: Fields): StepRecord["platform"] {
  if (typeof os !== "string" || typeof architecture !== "string") return hostPlatform();
  return parsePlatform(`${os}/${architecture}${typeof variant === "string" ? `/${variant}` : ""}`);
}

function linesOf(lines: Fields): { readonly start: number; readonly end: number } {
  return { start: whole(lines["start"], "start"), end: whole(lines["end"], "end") };
}

type Fields = Readonly<Record<string, unknown>>;

function parseJson(document: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(document).toString()) as unknown;
  } catch {
    throw invalidBundle("its record is no JSON");
  }
}

function objectOf(value: unknown, name: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalidBundle(`${name} is no object`);
  return value as Fields;
}

function listOf(value: unknown, name: string): readonly unknown[] {
  if (!Array.isArray(value) || value.length > maxItems) throw invalidBundle(`${name} is no list`);
  return value;
}

function text(value: unknown, name: string): string {
  if (typeof value !== "string" || value.includes("\0")) throw invalidBundle(`${name} is no text`);
  return value;
}

function texts(value: unknown, name: string): readonly string[] {
  return listOf(value, name).map((item) => text(item, name));
}

function whole(value: unknown, name: string): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw invalidBundle(`${name} is no number`);
  return value;
}

function absolute(value: unknown, name: string): string {
  const path = text(value, name);
  if (!path.startsWith("/") || path.split("/").includes("..")) throw invalidBundle(`${name} is no absolute path`);
  return path;
}

function digestIn(value: unknown): Digest {
  if (typeof value !== "string" || !isDigest(value) || !value.startsWith("sha256:")) throw invalidBundle("a layer has no digest");
  return value;
}
