/** What was learned of a checkout, kept until its commit or its index is another one. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";

export interface CheckoutRecord {
  /** the commit that is checked out */
  readonly head: string;
  /** the clone is shallow: what its oldest commits have is older than they are */
  readonly shallow: boolean;
  /** changes whenever the index is written */
  readonly index: string;
  /** facts by path, relative to the directory that was asked of: `formatFacts()`, read when they are needed */
  readonly files: ReadonlyMap<string, string>;
}

export interface FileFacts {
  /** of the last change, since 1970; undefined: no commit says */
  readonly seconds: number | undefined;
  /** undefined: the index does not have what the commit has */
  readonly staged: StagedFile | undefined;
}

/** A file as commit and index have it. */
export interface StagedFile {
  readonly type: "file" | "executable" | "symlink" | "submodule";
  /** the name of its content; of a submodule the commit */
  readonly object: string;
  /** how a file begins its `stamp` that git saw with this content, size and time; "": git is not sure */
  readonly seen: string;
}

export function formatFacts({ seconds, staged }: FileFacts): string {
  const time = seconds === undefined ? "-" : String(seconds);
  return staged === undefined ? time : `${time} ${staged.type} ${staged.object} ${staged.seen}`;
}

export function parseFacts(text: string): FileFacts {
  const [time = "-", type, object = "", seen = ""] = text.split(" ");
  return { seconds: time === "-" ? undefined : Number(time), staged: type === undefined ? undefined : { type: type as StagedFile["type"], object, seen } };
}

const header = "slipway-checkout 1";

/** Anything unreadable or of another version counts as nothing known. */
export function readRecord(path: string): CheckoutRecord | undefined {
  let words: readonly string[];
  try {
    words = readFileSync(path, "utf8").split("\0");
  } catch {
    return undefined;
  }
  const [version, head = "", shallow, index = ""] = words;
  if (version !== header || words.at(-1) !== "end") return undefined;
  const files = new Map<string, string>();
  for (let at = 4; at < words.length - 1; at += 2) files.set(words[at] ?? "", words[at + 1] ?? "");
  return { head, shallow: shallow === "shallow", index, files };
}

/** Readers see the old file or the new one. */
export function writeRecord(path: string, temporary: string, { head, shallow, index, files }: CheckoutRecord): void {
  const words = [header, head, shallow ? "shallow" : "whole", index];
  for (const [file, facts] of files) words.push(file, facts);
  words.push("end");
  writeFileSync(temporary, words.join("\0"));
  renameSync(temporary, path);
}
