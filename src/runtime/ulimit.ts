/** `--ulimit name=soft[:hard]`, names as Docker's. */
import { SlipwayError } from "../base/errors.ts";
import type { Ulimit } from "./spec-options.ts";

const names = new Set("as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack".split(" "));

export function isUlimitName(name: string): boolean {
  return names.has(name);
}

/** Fails with INVALID_ULIMIT (invalid_argument) in Docker's words. */
export function parseUlimit(text: string): Ulimit {
  const invalid = (message: string): SlipwayError => new SlipwayError("invalid_argument", "INVALID_ULIMIT", message, { got: text });
  const equals = text.indexOf("=");
  if (equals < 0) throw invalid(`invalid ulimit argument: ${text}`);
  const name = text.slice(0, equals);
  if (!names.has(name)) throw invalid(`invalid ulimit type: ${name}`);
  const parts = text.slice(equals + 1).split(":");
  if (parts.length > 2 || parts.some((part) => !/^-?\d+$/.test(part))) throw invalid(`invalid ulimit argument: ${text}`);
  const soft = Number(parts[0]);
  const hard = Number(parts[1] ?? parts[0]);
  if (hard !== -1 && (soft === -1 || soft > hard)) throw invalid(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`);
  return { name, soft, hard };
}
