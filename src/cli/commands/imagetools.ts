/** `buildx imagetools`: documents of registries, in buildx's shapes. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { printable } from "../../base/printable.ts";
import type { RemoteInspection } from "../../engine/api.ts";
import type { Descriptor } from "../../oci/index.ts";
import { formatPlatform, formatReference, isDigest, withDigest } from "../../oci/index.ts";
import type { Handler } from "../command.ts";
import { cliError } from "../failure.ts";
import { compileTemplate } from "../go-template.ts";
import { chooseMode, createRenderer } from "../progress/create-renderer.ts";
import { alignColumns } from "../table.ts";
import { fileError } from "./archive-file.ts";
import { templateData } from "./imagetools-template.ts";

const narrow = { minWidth: 0, padding: 1 };

/** The lines of `imagetools inspect` without --format, blanks at their ends included. */
export function formatInspection({ reference, descriptor, index }: RemoteInspection): string {
  const head = alignColumns(`Name:\t${formatReference(reference)}\nMediaType:\t${printable(descriptor.mediaType)}\nDigest:\t${descriptor.digest}\n`, narrow);
  if (index === undefined) return head;
  let text = head + alignColumns("\t\nManifests:\t\n", narrow);
  let lines = "";
  for (const [at, entry] of index.manifests.entries()) {
    if (at > 0) lines += "\t\n";
    lines += `  Name:\t${formatReference(withDigest(reference, entry.digest))}\n${entryLines(entry)}`;
    if (Object.keys(entry.annotations ?? {}).length === 0) continue;
    // the annotations are a table of their own
    text += alignColumns(`${lines}  Annotations:\t\n`, narrow) + alignColumns(annotationLines(entry), narrow);
    lines = "";
  }
  return text + alignColumns(lines, narrow);
}

function entryLines({ mediaType, platform, urls = [] }: Descriptor): string {
  let lines = `  MediaType:\t${printable(mediaType)}\n`;
  if (platform !== undefined) {
    lines += `  Platform:\t${printable(formatPlatform(platform))}\n`;
    const { "os.version": version = "", "os.features": features = [] } = platform;
    if (version !== "") lines += `  OSVersion:\t${printable(version)}\n`;
    if (features.length > 0) lines += `  OSFeatures:\t${printable(features.join(", "))}\n`;
  }
  return urls.length === 0 ? lines : `${lines}  URLs:\t${printable(urls.join(", "))}\n`;
}

function annotationLines({ annotations = {} }: Descriptor): string {
  const entries = Object.entries(annotations).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([key, value]) => `    ${printable(key)}:\t${printable(value)}\n`).join("");
}

export const runImagetoolsInspect: Handler = async (cli, { flags, args }) => {
  const name = args[0]!;
  const raw = flags.bool("raw");
  const format = flags.string("format");
  if (raw && format !== "") throw cliError("format and raw cannot be used together");
  // the manifest alone is described, not printed
  const template = format === "" || /^\{\{\s*\.Manifest\s*\}\}$/.test(format) ? undefined : compileTemplate(format, "", "");
  const engine = await cli.open();
  const inspection = await engine.transfer.imagetools.inspect(name, { details: template !== undefined, signal: cli.signal });
  if (raw) cli.stdout.write(inspection.bytes);
  else if (template === undefined) cli.stdout.write(formatInspection(inspection));
  else cli.stdout.write(template.fill(templateData(name, inspection), { indentJson: true, errorPrefix: "" }));
  return 0;
};

/** A descriptor as JSON, of which the digest counts. Fails with INPUT_FILE. */
function digestInFile(cwd: string, file: string): string {
  let text: string;
  try {
    text = readFileSync(resolve(cwd, file), "utf8");
  } catch (error) {
    throw fileError("open", file, error, "INPUT_FILE");
  }
  try {
    const { digest } = JSON.parse(text) as { readonly digest?: unknown };
    if (typeof digest === "string" && isDigest(digest)) return digest;
  } catch (error) {
    throw cliError(`failed to read ${file}: ${error instanceof Error ? error.message : String(error)}`, "INPUT_FILE", {}, error);
  }
  throw cliError(`failed to read ${file}: it is no descriptor with a digest`, "INPUT_FILE");
}

export const runImagetoolsCreate: Handler = async (cli, { flags, args }) => {
  const mode = chooseMode(flags.string("progress"), false, cli);
  const tags = flags.list("tag");
  const dryRun = flags.bool("dry-run");
  const append = flags.bool("append");
  if (args.length === 0 && flags.list("file").length === 0) throw cliError("no sources specified");
  if (!dryRun && tags.length === 0) throw cliError("can't push with no tags specified, please set --tag or --dry-run");
  if (append && tags.length === 0) throw cliError("can't append with no tags specified");
  const files = flags.list("file").map((file) => digestInFile(cli.cwd, file));
  const sources = [...(append ? [tags[0]!] : []), ...files, ...args];
  const engine = await cli.open();
  const options = {
    sources,
    tags,
    preferIndex: flags.bool("prefer-index"),
    platforms: flags.list("platform"),
    annotations: flags.list("annotation"),
    signal: cli.signal,
  };
  if (dryRun) {
    cli.stdout.write(`${Buffer.from(await engine.transfer.imagetools.preview(options)).toString()}\n`);
    return 0;
  }
  const renderer = await createRenderer({ mode, cli, expandWarnings: false });
  try {
    await engine.transfer.imagetools.create({ ...options, onProgress: (event) => renderer.push(event) });
  } finally {
    renderer.finish();
  }
  return 0;
};
