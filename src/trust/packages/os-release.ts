/** Which distribution it is. @see os-release(5) */
import type { Distribution } from "./package.ts";

const line = /^\s*([A-Z_][A-Z0-9_]*)=(.*)$/;

function unquoted(value: string): string {
  const text = value.trim();
  if (text.startsWith("'") && text.endsWith("'") && text.length > 1) return text.slice(1, -1);
  const inner = text.startsWith('"') && text.endsWith('"') && text.length > 1 ? text.slice(1, -1) : text;
  return inner.replace(/\\([$"'\\`])/g, "$1");
}

/** undefined where it names none. */
export function parseOsRelease(text: string): Distribution | undefined {
  const values = new Map<string, string>();
  for (const row of text.split("\n")) {
    const [, name, value] = line.exec(row) ?? [];
    if (name !== undefined && value !== undefined) values.set(name, unquoted(value));
  }
  const id = values.get("ID") ?? "";
  if (id === "") return undefined;
  return {
    id,
    version: values.get("VERSION_ID") ?? "",
    codename: values.get("VERSION_CODENAME") ?? "",
    name: values.get("PRETTY_NAME") ?? values.get("NAME") ?? id,
    idLike: (values.get("ID_LIKE") ?? "").split(/\s+/).filter((word) => word !== ""),
  };
}

/** `https://dl-cdn.alpinelinux.org/alpine/v3.20/main` → "3.20"; edge stays "edge". */
export function alpineReleases(text: string): readonly string[] {
  const found = text
    .split("\n")
    .filter((row) => !/^\s*#/.test(row))
    .flatMap((row) => /\/(?:v(\d+\.\d+)|(edge))\/(?:main|community|testing)\/?\s*$/.exec(row)?.slice(1).filter(Boolean) ?? []);
  return [...new Set(found)].sort();
}
