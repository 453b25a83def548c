/** The comma-separated values of `build`: `--output`, `--secret`, `--ssh`, and the words that are `name=value`. */
import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { asSlipwayError } from "../../base/errors.ts";
import { booleanFromText, goQuote } from "../../base/go-text.ts";
import type { BuildOutput, SecretSource, SshSource } from "../../engine/api.ts";
import { parseReference } from "../../oci/index.ts";
import type { Cli } from "../cli.ts";
import { cliError } from "../failure.ts";
import { fileError } from "./archive-file.ts";
import { splitCsv } from "./key-value.ts";

/** Docker's client prints these without "failed to build". */
function plain(message: string): Error {
  return cliError(message, "USAGE", { plain: true });
}

function dropUndefined(value: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** `-o DIR`, `-o -`, or fields of which `type` is one. Fails with USAGE. */
export function parseOutput(cli: Cli, text: string): BuildOutput {
  const fields = splitCsv(text);
  if (fields.length === 1 && fields[0] === text && !text.startsWith("type=")) {
    return text === "-" ? toStdout(cli, { type: "tar", dest: "-" }) : outputOf(cli, "local", text, {});
  }
  const attributes: Record<string, string> = {};
  for (const field of fields) {
    const equals = field.indexOf("=");
    if (equals < 0) throw plain(`invalid value ${field}`);
    attributes[field.slice(0, equals).trim().toLowerCase()] = field.slice(equals + 1);
  }
  const { type, dest, ...rest } = attributes;
  if (type === undefined || type === "") throw plain("type is required for output");
  return outputOf(cli, type, dest, rest);
}

function outputOf(cli: Cli, type: string, dest: string | undefined, attributes: Readonly<Record<string, string>>): BuildOutput {
  const path = dest === undefined || dest === "-" ? dest : resolve(cli.cwd, dest);
  const { "platform-split": splitText, "attestation-prefix": attestationPrefix } = attributes;
  const split = { ...splitOf(splitText), ...(attestationPrefix === undefined ? {} : { attestationPrefix }) };
  switch (type) {
    case "image":
    case "registry":
      return { type, attributes };
    case "docker":
      if (path === undefined) return { type: "image", attributes };
      checkArchive(path, dest ?? "", attributes);
      return path === "-" ? toStdout(cli, { type, dest: "-", attributes }) : { type, dest: path, attributes };
    case "oci":
      checkArchive(path, dest ?? "", attributes);
      return path === undefined || path === "-" ? toStdout(cli, { type, dest: "-", attributes }) : { type, dest: path, attributes };
    case "tar":
      checkArchive(path, dest ?? "", attributes);
      return path === undefined || path === "-" ? toStdout(cli, { type, dest: "-", ...split }) : { type, dest: path, ...split };
    case "local":
      if (path === undefined) throw cliError("dest is required for local exporter");
      if (path === "-") throw cliError("local exporter cannot write to standard output; use type=tar");
      if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === false) throw cliError(`destination directory ${dest} is a file`);
      return { type, dest: path, ...split };
    case "cacheonly":
      return { type };
    default:
      throw cliError(`failed to solve: exporter ${goQuote(type)} could not be found`);
  }
}

/** Said before anything is built: an archive's place must be a file's, in a directory that is there. */
function checkArchive(path: string | undefined, dest: string, attributes: Readonly<Record<string, string>>): void {
  if (path === undefined || path === "-" || attributes["tar"] === "false") return;
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) throw cliError(`destination file ${dest} is a directory`);
  try {
    statSync(dirname(path));
  } catch (error) {
    throw cliError(`failed to open ${fileError("open", dest, error, "OUTPUT_FILE").message}`, "OUTPUT_FILE", {}, error);
  }
}

/** Go's words for booleans, as buildx reads them. */
function splitOf(text: string | undefined): { readonly platformSplit?: boolean } {
  if (text === undefined) return {};
  const platformSplit = booleanFromText(text);
  if (platformSplit !== undefined) return { platformSplit };
  throw cliError(`failed to solve: non-bool value for platform-split: ${text}`);
}

function toStdout<Output extends BuildOutput>(cli: Cli, output: Output): Output {
  if (cli.stdout.isTTY) throw cliError(`dest file is required for ${output.type} exporter. refusing to write to console`);
  return output;
}

/** What nobody wrote into a list is nothing in it: `--secret "$SECRET"`. */
export function written(words: readonly string[]): readonly string[] {
  return words.filter((word) => word !== "");
}

/** `id=name[,src=file][,env=NAME][,type=file|env]`; without a source the id names a variable or a file. Fails with USAGE or INPUT_FILE. */
export function parseSecret(cli: Cli, text: string): SecretSource {
  const values: { id?: string; file?: string; env?: string; type?: string } = {};
  for (const field of splitCsv(text)) {
    const equals = field.indexOf("=");
    if (equals < 0) throw plain(`invalid field '${field}' must be a key=value pair`);
    const key = field.slice(0, equals).toLowerCase();
    const value = field.slice(equals + 1);
    if (key === "type") {
      if (value !== "file" && value !== "env") throw plain(`unsupported secret type ${goQuote(value)}`);
      values.type = value;
    } else if (key === "id") values.id = value;
    else if (key === "source" || key === "src") values.file = value;
    else if (key === "env") values.env = value;
    else throw plain(`unexpected key '${key}' in '${field}'`);
  }
  if (values.type === "env" && values.env === undefined) {
    values.env = values.file ?? "";
    delete values.file;
  }
  if (values.id === undefined || values.id === "") throw cliError("secret missing ID");
  return secretSource(cli, values.id, values.file, values.env === "" ? undefined : values.env);
}

function secretSource(cli: Cli, id: string, file: string | undefined, env: string | undefined): SecretSource {
  if (env !== undefined) return { id, env };
  if (file === undefined && cli.env[id] !== undefined) return { id, env: id };
  const path = resolve(cli.cwd, file ?? id);
  try {
    statSync(path);
  } catch (error) {
    throw cliError(`failed to stat ${file ?? id}: ${fileError("stat", file ?? id, error, "INPUT_FILE").message}`, "INPUT_FILE", {}, error);
  }
  return { id, file: path };
}

/** `default`, `default=$SOCKET`, `id=key[,key]`. Fails with USAGE when there is no agent to ask. */
export function parseSsh(cli: Cli, text: string): SshSource {
  const equals = text.indexOf("=");
  const id = equals < 0 ? text : text.slice(0, equals);
  const words =
    equals < 0
      ? []
      : text
          .slice(equals + 1)
          .split(",")
          .filter((path) => path !== "");
  const shown = `{${id} [${words.join(" ")}] false}`;
  if (words.length === 0 && (cli.env["SSH_AUTH_SOCK"] ?? "") === "") {
    throw cliError(`failed to convert agent config ${shown}: invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set`);
  }
  for (const word of words) {
    try {
      statSync(resolve(cli.cwd, word));
    } catch (error) {
      const why = fileError("stat", word, error, "INPUT_FILE").message;
      throw cliError(`failed to convert agent config ${shown}: failed to convert agent config for ID: ${goQuote(id)}: ${why}`, "INPUT_FILE", {}, error);
    }
  }
  return { id: id === "" ? "default" : id, paths: words.map((word) => resolve(cli.cwd, word)) };
}

/** `NAME=value`, or NAME alone to take the environment's value, where it has one. Fails with USAGE. */
export function parseBuildArgs(cli: Cli, words: readonly string[]): Record<string, string> {
  const values: Record<string, string | undefined> = {};
  for (const word of words) {
    const equals = word.indexOf("=");
    const name = equals < 0 ? word : word.slice(0, equals);
    if (name === "") throw plain(`invalid key-value pair ${goQuote(word)}: empty key`);
    values[name] = equals < 0 ? cli.env[name] : word.slice(equals + 1);
  }
  return dropUndefined(values);
}

/** `name=directory`, `name=docker-image://ref`, …; directories become absolute. Fails with USAGE or INPUT_FILE. */
export function parseBuildContexts(cli: Cli, words: readonly string[]): Record<string, string> {
  const contexts: Record<string, string> = {};
  for (const word of words) {
    const equals = word.indexOf("=");
    if (equals < 0) throw plain(`invalid context value: ${word}, expected key=value`);
    const name = word.slice(0, equals);
    checkContextName(name);
    const value = word.slice(equals + 1);
    contexts[name] = isRemote(value) ? value : contextDirectory(cli, name, value);
  }
  return contexts;
}

/** A context replaces an image of that name, so it has to be one. */
function checkContextName(name: string): void {
  try {
    parseReference(name);
  } catch (error) {
    throw plain(`invalid context name ${name}: ${asSlipwayError(error).message}`);
  }
}

function contextDirectory(cli: Cli, name: string, value: string): string {
  const path = resolve(cli.cwd, value);
  try {
    if (value === "") throw Object.assign(new Error("no such file or directory"), { code: "ENOENT" });
    if (!statSync(path).isDirectory()) throw Object.assign(new Error("not a directory"), { code: "ENOTDIR" });
  } catch (error) {
    throw cliError(`failed to get build context ${name}: ${fileError("stat", value, error, "INPUT_FILE").message}`, "INPUT_FILE", {}, error);
  }
  return path;
}

/** A named context that is no folder. */
function isRemote(text: string): boolean {
  return /^[a-z][a-z0-9+-]*:\/\//.test(text) || isFetched(text);
}

/** A context that is fetched: a URL, github.com/…, or git's user@host:path. */
export function isFetched(text: string): boolean {
  return /^(?:https?|git|ssh|file):\/\//.test(text) || /^github\.com\/[^/]+\/[^/]+/.test(text) || /^[\w.-]+@[\w.-]+:/.test(text);
}

export function isHttpUrl(text: string): boolean {
  return /^https?:\/\//.test(text);
}
