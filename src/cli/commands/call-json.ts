/** The JSON of `build --call`, in the shape of BuildKit's messages. */
import type { DockerfileContent, Lines } from "../../engine/api.ts";
import { escapeHtml } from "../json.ts";

export interface Location {
  readonly ranges?: readonly { readonly start: { readonly line: number }; readonly end: { readonly line: number } }[];
}

/** One range for each line. */
export function locationOf(lines: Lines | undefined): Location {
  if (lines === undefined) return {};
  const numbers = Array.from({ length: lines.end - lines.start + 1 }, (_, index) => lines.start + index);
  return { ranges: numbers.map((line) => ({ start: { line }, end: { line } })) };
}

export function sourceData({ text }: DockerfileContent): string {
  return Buffer.from(text).toString("base64");
}

/** Indented by two, members without value left out. */
export function formatCallJson(value: unknown): string {
  return `${escapeHtml(JSON.stringify(value, null, 2))}\n`;
}
