/** `--cache-from` and `--cache-to`: a reference alone, or `type=…` with the fields of that type. */
import { resolve } from "node:path";
import { asSlipwayError } from "../../base/errors.ts";
import { booleanFromText, goQuote } from "../../base/go-text.ts";
import type { CacheExportSettings, CacheMountChoice, CacheSource, CacheTarget } from "../../engine/api.ts";
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

/** A cache is no need: what cannot be read is told when the build runs. */
function sourceOf(cli: Cli, fields: Fields): readonly CacheSource[] {
  const type = fields.get("type") ?? "";
  if (type === "registry") return [{ type, ref: requiredRef(fields, "importer") }];
  if (type !== "local") return [{ type: "unknown", name: type }];
  const src = fields.get("src") ?? "";
  if (src === "") throw cliError("local cache importer requires src");
  const digest = fields.get("digest");
  const tag = fields.get("tag");
  return [{ type: "local", src: resolve(cli.cwd, src), ...(digest === undefined ? {} : { digest }), ...(tag === undefined ? {} : { tag }) }];
}

function targetOf(cli: Cli, fields: Fields): readonly CacheTarget[] {
  const type = exporterOf(fields);
  if (type === "inline") return [{ type }];
  if (type === "registry") {
    const ref = requiredRef(fields, "exporter");
    try {
      parseReference(ref);
    } catch (error) {
      throw refused(type, asSlipwayError(error).message, error);
    }
    return [{ type, ref, ...settingsOf(type, fields) }];
  }
  const dest = fields.get("dest") ?? "";
  if (dest === "") throw cliError("local cache exporter requires dest");
  return [{ type: "local", dest: resolve(cli.cwd, dest), tag: fields.get("tag") ?? "latest", ...settingsOf(type, fields) }];
}

function settingsOf(type: "registry" | "local", fields: Fields): CacheExportSettings {
  const level = fields.get("compression-level");
  const compression = compressionOf(type, fields.get("compression") ?? "gzip");
  const ociMediaTypes = boolOf(type, fields, "oci-mediatypes", true);
  const settings = {
    // as BuildKit: what is not "max" is "min"
    mode: fields.get("mode") === "max" ? "max" : "min",
    compression,
    ...(level === undefined ? {} : { compressionLevel: levelOf(type, level, compression === "zstd" ? 22 : 9) }),
    forceCompression: boolOf(type, fields, "force-compression", false),
    ociMediaTypes,
    imageManifest: boolOf(type, fields, "image-manifest", ociMediaTypes),
    mounts: mountsOf(fields.get("mounts") ?? ""),
    ignoreError: boolOf(type, fields, "ignore-error", true),
  } as const;
  if (settings.imageManifest && !ociMediaTypes)
    throw cliError("failed to solve: invalid configuration for remote cache, OCI mediatypes are required for image-manifest cache format");
  return settings;
}

function refused(type: string, why: string, cause?: unknown): Error {
  return cliError(`failed to solve: failed to configure ${type} cache exporter: ${why}`, "USAGE", {}, cause);
}

/** "all", or ids; commas stand for themselves in a quoted field. */
function mountsOf(text: string): CacheMountChoice {
  return text === "all" ? "all" : text.split(/[;,]/).filter((id) => id !== "");
}

function exporterOf(fields: Fields): "registry" | "local" | "inline" {
  const type = fields.get("type") ?? "";
  if (type === "registry" || type === "local" || type === "inline") return type;
  if (servicesOfOthers.includes(type)) throw cliError(`failed to solve: cache type ${goQuote(type)} is not supported: use registry, local or inline`);
  throw cliError(`failed to solve: unknown cache exporter: ${goQuote(type)}`);
}

function requiredRef(fields: Fields, what: "importer" | "exporter"): string {
  const ref = fields.get("ref") ?? "";
  if (ref === "") throw cliError(`registry cache ${what} requires ref`);
  return ref;
}

function compressionOf(type: string, text: string): "gzip" | "zstd" | "uncompressed" {
  if (text === "gzip" || text === "zstd" || text === "uncompressed") return text;
  throw refused(type, `unsupported compression type ${text}`);
}

function levelOf(type: string, text: string, highest: number): number {
  if (!/^[-+]?\d{1,9}$/.test(text))
    throw refused(type, `non-integer value ${text} specified for compression-level: strconv.ParseInt: parsing ${goQuote(text)}: invalid syntax`);
  return Math.min(Math.max(Number(text), 1), highest);
}

function boolOf(type: string, fields: Fields, name: string, fallback: boolean): boolean {
  const text = fields.get(name);
  if (text === undefined || text === "") return fallback;
  const value = booleanFromText(text);
  if (value !== undefined) return value;
  const why = `strconv.ParseBool: parsing ${goQuote(text)}: invalid syntax`;
  throw refused(type, name === "force-compression" ? `non-bool value ${text} specified for ${name}: ${why}` : `failed to parse ${name}: ${why}`);
}
