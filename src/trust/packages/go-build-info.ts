/** The modules that a Go program was built from, as `go version -m` prints them. @see Go's debug/buildinfo */
import type { FoundPackage } from "./package.ts";
import { bounded } from "./package-reader.ts";
import { linesOf } from "./text-lines.ts";

const magic = Buffer.from("\xff Go buildinf:", "latin1");

interface BuildInfo {
  /** "go1.22.5" */
  readonly goVersion: string;
  readonly lines: Iterable<string>;
}

/** A length of seven bits a byte, then so many bytes. */
function readText(bytes: Buffer, at: number): { readonly value: Buffer; readonly end: number } | undefined {
  let length = 0;
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = bytes[at++];
    if (byte === undefined) return undefined;
    length |= (byte & 0x7f) << shift;
    if (byte < 0x80) return at + length > bytes.length ? undefined : { value: bytes.subarray(at, at + length), end: at + length };
  }
  return undefined;
}

/** Programs of Go 1.18 and later; older ones keep pointers that need the loaded image. */
export function parseGoBuildInfo(section: Buffer): BuildInfo | undefined {
  const start = section.indexOf(magic);
  if (start < 0 || ((section[start + 15] ?? 0) & 2) === 0) return undefined;
  const version = readText(section, start + 32);
  const modules = version === undefined ? undefined : readText(section, version.end);
  if (version === undefined || modules === undefined) return undefined;
  // sixteen bytes of a mark before and behind the text
  const text = modules.value.length >= 33 ? modules.value.toString("utf8", 16, modules.value.length - 16) : "";
  return { goVersion: version.value.toString(), lines: linesOf(text) };
}

/** The program's own module, what it depends on, replacements in place of what they replace, and the standard library. */
export function readGoModules(section: Buffer | undefined): readonly FoundPackage[] {
  const info = section === undefined ? undefined : parseGoBuildInfo(section);
  return info === undefined ? [] : bounded(modulesOf(info));
}

function* modulesOf({ goVersion, lines }: BuildInfo): Generator<FoundPackage> {
  const [, version] = /^go(\d\S*)/.exec(goVersion) ?? [];
  if (version !== undefined) yield { type: "golang", name: "stdlib", version };
  let last: FoundPackage | undefined;
  for (const line of lines) {
    const [kind, name, version] = line.split("\t", 3);
    if (name === undefined || version === undefined) continue;
    const isNext = kind === "mod" || kind === "dep";
    // a replacement by a directory is none that anybody knows: what it replaces stays
    if (!isNext && (kind !== "=>" || version === "" || version === "(devel)")) continue;
    if (isNext && last !== undefined) yield last;
    last = { type: "golang", name, version };
  }
  if (last !== undefined) yield last;
}
