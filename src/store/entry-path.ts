/**
 * Paths of archive members. On their way to the disk they are byte strings: one character per byte, so that names in any encoding
 * compare, split and join exactly; for ASCII names that is the ordinary text.
 */
import { SlipwayError } from "../base/errors.ts";
import type { Brand } from "../base/brand.ts";
import { bytesOfName, nameFromBytes, type ArchiveName } from "../tar/name.ts";

export type BytePath = Brand<string, "BytePath">;

// eslint-disable-next-line no-control-regex -- anything that is not ASCII
const beyondAscii = /[^\u0000-\u007f]/;

/** A path that is not clean has an empty, `.` or `..` part somewhere. */
const unclean = /(?:^|\/)\.{0,2}(?:\/|$)/;

/**
 * The path that an archive's name means below the root: no leading slash, no `.`, `..` or empty parts; "" is the root itself.
 * Absolute names are relative to the root. Fails with TAR_PATH_ESCAPES (invalid_argument) when `..` leaves the root.
 */
export function sanitizeEntryPath(name: string): string {
  if (!unclean.test(name)) return name;
  const isAbsolute = name.startsWith("/");
  const parts: string[] = [];
  for (const part of name.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined && !isAbsolute) throw escapes(name);
  }
  return parts.join("/");
}

function escapes(name: string): SlipwayError {
  return new SlipwayError("invalid_argument", "TAR_PATH_ESCAPES", `invalid tar entry: ${JSON.stringify(name)} is outside of the root`, { path: name });
}

export function bytePath(text: string, raw: boolean): BytePath {
  return (raw || !beyondAscii.test(text) ? text : bytesOfName(text, false).toString("latin1")) as BytePath;
}

export function textOfBytePath(path: string): ArchiveName {
  return beyondAscii.test(path) ? nameFromBytes(Buffer.from(path, "latin1")) : { text: path, raw: false };
}

/** What node:fs takes: the string where that is safe, else the bytes. */
export function diskPath(path: string): string | Buffer {
  return beyondAscii.test(path) ? Buffer.from(path, "latin1") : path;
}
