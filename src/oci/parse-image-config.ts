/** Foreign bytes to an image configuration. @see image-spec config.md, and Docker's own fields in moby's image/spec */
import { Fields, invalidDocument, parseJsonObject, present } from "./bounded-json.ts";
import { isDigest } from "./digest.ts";
import type { Digest } from "./digest.ts";
import type { ContainerConfig, Healthcheck, HistoryEntry, ImageConfig } from "./image-config.ts";

const limits = { maxBytes: 4 * 1024 * 1024, maxDepth: 32 };

function readKeys(fields: Fields | undefined): Readonly<Record<string, Record<string, never>>> | undefined {
  return fields && Object.fromEntries(Object.keys(fields.object).map((key) => [key, {}]));
}

function readHealthcheck(fields: Fields): Healthcheck {
  return present<Healthcheck>({
    Test: fields.strings("Test"),
    Interval: fields.integer("Interval"),
    Timeout: fields.integer("Timeout"),
    StartPeriod: fields.integer("StartPeriod"),
    StartInterval: fields.integer("StartInterval"),
    Retries: fields.integer("Retries"),
  });
}

function readContainerConfig(fields: Fields): ContainerConfig {
  const healthcheck = fields.child("Healthcheck");
  return present<ContainerConfig>({
    User: fields.string("User"),
    ExposedPorts: readKeys(fields.child("ExposedPorts")),
    Env: fields.strings("Env"),
    Entrypoint: fields.strings("Entrypoint"),
    Cmd: fields.strings("Cmd"),
    Volumes: readKeys(fields.child("Volumes")),
    WorkingDir: fields.string("WorkingDir"),
    Labels: fields.stringMap("Labels"),
    StopSignal: fields.string("StopSignal"),
    ArgsEscaped: fields.boolean("ArgsEscaped"),
    Healthcheck: healthcheck && readHealthcheck(healthcheck),
    OnBuild: fields.strings("OnBuild"),
    Shell: fields.strings("Shell"),
  });
}

function readHistoryEntry(fields: Fields): HistoryEntry {
  return present<HistoryEntry>({
    created: fields.string("created"),
    created_by: fields.string("created_by"),
    author: fields.string("author"),
    comment: fields.string("comment"),
    empty_layer: fields.boolean("empty_layer"),
  });
}

function readDiffIds(fields: Fields): readonly Digest[] {
  return (fields.strings("diff_ids") ?? []).map((text, i) => {
    if (!isDigest(text)) throw fields.fail(`diff_ids[${i}]`, "sha256:<64 hex digits>");
    return text;
  });
}

/**
 * The empty values of Go's encoder (null lists, no `config`) are accepted; a field of another type is not. Fields that
 * are not known are dropped, as BuildKit drops them from a base image. At most 4 MiB are read.
 * Fails with INVALID_DOCUMENT (invalid_argument) or DOCUMENT_TOO_LARGE (resource_exhausted).
 */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  const fields = new Fields(parseJsonObject(bytes, "image config", limits), "image config");
  const rootfs = fields.child("rootfs");
  if (rootfs === undefined) throw fields.fail("rootfs", "an object");
  const type = rootfs.string("type") ?? "layers";
  if (type !== "layers") throw invalidDocument("image config", `rootfs.type: got ${JSON.stringify(type.slice(0, 40))}, want "layers"`);
  const config = fields.child("config");
  return present<ImageConfig>({
    architecture: fields.string("architecture") ?? "",
    os: fields.string("os") ?? "",
    variant: fields.string("variant"),
    "os.version": fields.string("os.version"),
    "os.features": fields.strings("os.features"),
    created: fields.string("created"),
    author: fields.string("author"),
    config: config === undefined ? {} : readContainerConfig(config),
    rootfs: { type: "layers", diff_ids: readDiffIds(rootfs) },
    history: fields.children("history")?.map(readHistoryEntry),
  });
}
