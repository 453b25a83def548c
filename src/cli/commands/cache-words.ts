/** `--cache-from` and `--cache-to`: a reference alone, or `type=…` with the fields of that type. */
import { resolve } from "node:path";
import { goQuote } from "../../base/go-text.ts";
import type { CacheMountChoice, CacheSource, CacheTarget } from "../../engine/api.ts";
import { parseReference } from "../../oci/index.ts";
import type { Cli } from "../cli.ts";
import { cliError } from "../failure.ts";
import { splitCsv } from "./key-value.ts";

type Fields = ReadonlyMap<string, string>;

/** Types that other builders know, and what they need that is not here. */
const servicesOfOthers: readonly string[] = ["gha", "s3", "azblob"];

/** Fails with USAGE in Docker's words. */
export function parseCacheSources(cli: Cli, texts: readonly string[]): readonly CacheSource[] {
  return texts.flatMap((text) => entriesOf(text)).flatMap((fields) => sourceOf(cli, fields));
}

export function parseCacheTargets(cli: Cli, texts: readonly string[]): readonly CacheTarget[] {
  return texts.flatMap((text) => entriesOf(text)).flatMap((fields) => targetOf(cli, fields));
}

/** References alone may stand beside each other, separated by commas. */
function entriesOf(text: string): readonly Fields[] {
  if (text === "") return [];
  const words = splitCsv(text);
  if (words.every((word) => !word.includes("="))) {
    return words.map(
      (ref) =>
        new Map([
          ["type", "registry"],
          ["ref", ref],
        ]),
    );
  }
  const fields = new Map<string, string>();
  for (const word of words) {
    const equals = word.indexOf("=");
    if (equals < 0) throw cliError(`invalid value ${word}`);
    fields.set(word.slice(0, equals).trim().toLowerCase(), word.slice(equals + 1));
  }
  if ((fields.get("type") ?? "") === "") throw cliError(`type required form> ${goQuote(text)}`);
  return [fields];
}

function sourceOf(cli: Cli, fields: Fields): readonly CacheSource[] {
  const type = typeOf(fields, "importer");
  if (type === "inline") throw cliError('failed to solve: unknown cache importer: "inline"');
  if (type === "registry") return [{ type, ref: refOf(fields, "importer") }];
  const src = fields.get("src") ?? "";
  if (src === "") throw cliError("local cache importer requires src");
  const digest = fields.get("digest");
  const tag = fields.get("tag");
  return [{ type: "local", src: resolve(cli.cwd, src), ...(digest === undefined ? {} : { digest }), ...(tag === undefined ? {} : { tag }) }];
}

function targetOf(cli: Cli, fields: Fields): readonly CacheTarget[] {
  const type = typeOf(fields, "exporter");
  if (type === "inline") return [{ type }];
  const level = fields.get("compression-level");
  const ociMediaTypes = boolOf(fields, "oci-mediatypes", true);
  const settings = {
    // as BuildKit: what is not "max" is "min"
    mode: fields.get("mode") === "max" ? "max" : "min",
    compression: compressionOf(fields.get("compression") ?? "gzip"),
    ...(level === undefined ? {} : { compressionLevel: levelOf(level) }),
    ociMediaTypes,
    imageManifest: boolOf(fields, "image-manifest", ociMediaTypes),
    mounts: mountsOf(fields.get("mounts") ?? ""),
    ignoreError: boolOf(fields, "ignore-error", false),
  } as const;
  if (settings.imageManifest && !ociMediaTypes) throw cliError("failed to solve: image-manifest requires oci-mediatypes");
  if (type === "registry") return [{ type, ref: refOf(fields, "exporter"), ...settings }];
  const dest = fields.get("dest") ?? "";
  if (dest === "") throw cliError("local cache exporter requires dest");
  return [{ type: "local", dest: resolve(cli.cwd, dest), tag: fields.get("tag") ?? "latest", ...settings }];
}

/** "all", or ids; commas stand for themselves in a quoted field. */
function mountsOf(text: string): CacheMountChoice {
  return text === "all" ? "all" : text.split(/[;,]/).filter((id) => id !== "");
}

function typeOf(fields: Fields, what: "importer" | "exporter"): "registry" | "local" | "inline" {
  const type = fields.get("type") ?? "";
  if (type === "registry" || type === "local" || type === "inline") return type;
  if (servicesOfOthers.includes(type)) throw cliError(`failed to solve: cache type ${goQuote(type)} is not supported: use registry, local or inline`);
  throw cliError(`failed to solve: unknown cache ${what}: ${goQuote(type)}`);
}

function refOf(fields: Fields, what: "importer" | "exporter"): string {
  const ref = fields.get("ref") ?? "";
  if (ref === "") throw cliError(`failed to solve: registry cache ${what} requires ref`);
  try {
    parseReference(ref);
  } catch (error) {
    throw cliError(`failed to solve: invalid reference format: ${goQuote(ref)}`, "USAGE", {}, error);
  }
  return ref;
}

function compressionOf(text: string): "gzip" | "zstd" | "uncompressed" {
  if (text === "gzip" || text === "zstd" || text === "uncompressed") return text;
  throw cliError(`failed to solve: unsupported compression type: ${text}`);
}

function levelOf(text: string): number {
  if (/^\d{1,2}$/.test(text)) return Number(text);
  throw cliError(`failed to solve: non-integer value ${goQuote(text)} for compression-level`);
}

function boolOf(fields: Fields, name: string, fallback: boolean): boolean {
  const text = fields.get(name);
  if (text === undefined || text === "") return fallback;
  if (["1", "t", "T", "true", "TRUE", "True"].includes(text)) return true;
  if (["0", "f", "F", "false", "FALSE", "False"].includes(text)) return false;
  throw cliError(`failed to solve: non-bool value ${goQuote(text)} for ${name}`);
}
