/** `Range` of requests and `Content-Range` of uploads. @see RFC 9110 section 14 */
import type { ByteRange } from "./storage.ts";

/**
 * The part that `Range` asks for: undefined when the whole is to be sent, "unsatisfiable" when no byte of it exists.
 * Several ranges and other units are ignored, as the RFC allows.
 */
export function parseRange(header: string | undefined, size: number): ByteRange | "unsatisfiable" | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
  if (match === null || (match[1] === "" && match[2] === "")) return undefined;
  const [, first = "", last = ""] = match;
  if (first === "") {
    const suffix = Number(last);
    return suffix === 0 || size === 0 ? "unsatisfiable" : { start: Math.max(0, size - suffix), end: size - 1 };
  }
  const start = Number(first);
  if (last !== "" && Number(last) < start) return undefined;
  if (start >= size) return "unsatisfiable";
  return { start, end: last === "" ? size - 1 : Math.min(Number(last), size - 1) };
}

/** "0-99" or "bytes 0-99/*" of an upload; undefined when it is malformed. */
export function parseContentRange(header: string): ByteRange | undefined {
  const [, first, last] = /^(?:bytes )?(\d{1,15})-(\d{1,15})(?:\/(?:\d+|\*))?$/.exec(header) ?? [];
  if (first === undefined || last === undefined || Number(last) < Number(first)) return undefined;
  return { start: Number(first), end: Number(last) };
}
