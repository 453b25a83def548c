/** Where the cases and what Docker made of them lie. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { findBusybox } from "../e2e/base-image.ts";
import { parseCases, type ConformanceCase } from "./case-file.ts";
import { readApplication } from "./applications.ts";
import type { Outcome } from "./outcome.ts";

const here = import.meta.dirname;

export function caseFiles(): readonly string[] {
  return readdirSync(path.join(here, "cases"))
    .filter((name) => name.endsWith(".case"))
    .toSorted();
}

export function readCases(file: string): readonly ConformanceCase[] {
  return readCaseFile(path.join(here, "cases", file));
}

/** With the folders that cases name read into their contexts. */
export function readCaseFile(file: string): readonly ConformanceCase[] {
  return parseCases(readFileSync(file, "utf8"), path.basename(file)).map((one) => {
    if (one.folder === undefined) return one;
    const given = new Set(one.context.map(({ path: name }) => name));
    return { ...one, context: [...readApplication(one.folder).filter(({ path: name }) => !given.has(name)), ...one.context] };
  });
}

export function expectedPath(file: string): string {
  return path.join(here, "expected", file.replace(/\.case$/, ".json"));
}

/** Size and beginning of the digest of the busybox in the base that Docker's answers were recorded with. */
const recordedBusybox = "1982256 3d9f2889d678";

/** The same of this machine's: cases that copy the program itself expect this one. */
function ownBusybox(): string {
  const program = findBusybox();
  if (program === undefined) return recordedBusybox;
  const bytes = readFileSync(program);
  return `${bytes.length} ${createHash("sha256").update(bytes).digest("hex").slice(0, 12)}`;
}

/** Name → outcome; nothing when nothing was recorded yet. */
export function readExpected(file: string): Readonly<Record<string, Outcome>> {
  const recorded = expectedPath(file);
  if (!existsSync(recorded)) return {};
  return JSON.parse(readFileSync(recorded, "utf8").replaceAll(recordedBusybox, ownBusybox())) as Readonly<Record<string, Outcome>>;
}
