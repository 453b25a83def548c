/** `KEY=value` words, files of them, and comma-separated fields as Go's CSV reader takes them. */
import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { Cli } from "../cli.ts";
import { cliError } from "../failure.ts";
import { fileError } from "./archive-file.ts";

/** a file of variables or labels longer than this is none */
const maxFileSize = 4 << 20;

/** Lines of `--env-file` and `--label-file`: comments and empty lines are left out. Fails with INPUT_FILE or USAGE. */
export function readKeyValueFile(cli: Cli, path: string): readonly string[] {
  let text: string;
  try {
    const absolute = resolve(cli.cwd, path);
    if (statSync(absolute).size > maxFileSize) throw cliError(`${path}: file too large`, "INPUT_FILE");
    text = readFileSync(absolute, "utf8");
  } catch (error) {
    throw fileError("open", path, error, "INPUT_FILE");
  }
  return text
    .replace(/^\ufeff/, "")
    .split(/\r?\n/)
    .map((line) => line.trimStart())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const key = line.split("=")[0]!;
      if (/\s/.test(key)) throw cliError(`invalid env file (${path}): variable '${key}' contains whitespaces`);
      if (key === "") throw cliError(`invalid env file (${path}): no variable name on line '${line}'`);
      return line;
    });
}

/** `a=b` → {a: "b"}, `a` → {a: ""}. */
export function recordFrom(words: readonly string[]): Record<string, string> {
  const record: Record<string, string> = {};
  for (const word of words) {
    const equals = word.indexOf("=");
    const key = equals < 0 ? word : word.slice(0, equals);
    if (key === "") throw cliError(`invalid key-value pair ${JSON.stringify(word)}: empty key`, "USAGE", { plain: true });
    record[key] = equals < 0 ? "" : word.slice(equals + 1);
  }
  return record;
}

/** `a=b`, and nothing else: what is signed is said in full. Fails with USAGE. */
export function annotationsFrom(words: readonly string[]): Record<string, string> {
  const bare = words.find((word) => !/^[^=]+=/u.test(word));
  if (bare !== undefined) throw cliError(`--annotations wants KEY=VALUE: ${JSON.stringify(bare)}`);
  return recordFrom(words);
}

/** Fields between commas; a field in double quotes may hold commas and doubled quotes. Fails with USAGE. */
export function splitCsv(text: string): readonly string[] {
  const fields: string[] = [];
  const pattern = /(?:"((?:[^"]|"")*)"|([^,]*))(,|$)/y;
  for (;;) {
    const match = pattern.exec(text);
    if (match === null) throw cliError(`parse error on line 1: bare " in ${JSON.stringify(text)}`, "USAGE", { plain: true });
    fields.push(match[1]?.replaceAll('""', '"') ?? match[2]!);
    if (match[3] === "") return fields;
  }
}
