/** What was used although a policy refused it: one line of JSON for each, in the store. */
import { appendFileSync, mkdirSync, readFileSync, renameSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { errnoOf } from "../../base/errors.ts";
import type { PolicyLogEntry } from "../policy-api.ts";

const maxLogBytes = 8 << 20;

function logPath(root: string): string {
  return join(root, "policy", "log.jsonl");
}

/** The last eight megabytes are kept, and those before them once. */
export function appendLog(root: string, entry: PolicyLogEntry): void {
  const path = logPath(root);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > maxLogBytes) renameSync(path, `${path}.1`);
  appendFileSync(path, `${JSON.stringify(entry)}\n`, { mode: 0o600 });
}

export function readLog(root: string): readonly PolicyLogEntry[] {
  const text = [`${logPath(root)}.1`, logPath(root)].map(readOrNothing).join("");
  return text.split("\n").flatMap((line) => {
    try {
      return line === "" ? [] : [JSON.parse(line) as PolicyLogEntry];
    } catch {
      // the machine went down while it was written
      return [];
    }
  });
}

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return "";
    throw error;
  }
}
