/** Java archives: their own names, those of what was put into them, and archives within archives. */
import { isSlipwayError, SlipwayError } from "../../../base/errors.ts";
import { releaseBytes } from "../../../base/release-bytes.ts";
import type { FoundPackage } from "../package.ts";
import { baseName, type FileFacts, type PackageReader } from "../package-reader.ts";
import { linesOf } from "../text-lines.ts";
import { mebibyte } from "./json-file.ts";
import { listZip, mostByByte, readZipMember, type ZipMember } from "./zip.ts";

const archiveName = /\.(?:jar|war|ear|par|jpi|hpi|kar|sar)$/i;
const maxDepth = 5;

/** For all archives within one file together: a bomb ends here. */
const maxUnpackedBytes = 512 * mebibyte;
const maxInnerBytes = 128 * mebibyte;
const maxArchives = 5000;

interface Budget {
  bytes: number;
  archives: number;
}

function pairs(lines: Iterable<string>, pair: RegExp): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const line of lines) {
    const [, name, value = ""] = pair.exec(line) ?? [];
    if (name !== undefined) found.set(name, value.trim());
  }
  return found;
}

function properties(text: string): ReadonlyMap<string, string> {
  return pairs(linesOf(text), /^\s*([\w.]+)\s*[=:](.*)$/);
}

/** Lines of 72 bytes, continued by a blank; the first section. */
function manifestOf(text: string): ReadonlyMap<string, string> {
  const whole = text.replace(/\r?\n[ \t]/g, "");
  const end = /\r?\n\r?\n/.exec(whole)?.index ?? whole.length;
  return pairs(linesOf(whole.slice(0, end)), /^([\w-]+):(.*)$/);
}

/** `name-1.2.3.jar` */
function fromFileName(path: string): { readonly name: string; readonly version: string | undefined } {
  const plain = baseName(path).replace(archiveName, "");
  const [, name, version] = plain.length > 255 ? [] : (/^(.+?)-(\d[\w.+-]*)$/.exec(plain) ?? []);
  return { name: name ?? plain, version };
}

/** Where no pom tells: the manifest's words, and the file's name. */
function fromManifest(manifest: ReadonlyMap<string, string>, path: string): readonly FoundPackage[] {
  const file = fromFileName(path);
  const version = file.version ?? manifest.get("Implementation-Version") ?? manifest.get("Bundle-Version");
  if (version === undefined || version === "" || version.includes("${")) return [];
  const group = manifest.get("Implementation-Vendor-Id");
  const symbolic = manifest.get("Bundle-SymbolicName")?.split(";")[0] ?? "";
  const prefix = group ?? (symbolic.endsWith(`.${file.name}`) ? symbolic.slice(0, -file.name.length - 1) : undefined);
  return [{ type: "maven", name: prefix === undefined || prefix === "" ? file.name : `${prefix}:${file.name}`, version }];
}

interface Gathered {
  readonly packages: FoundPackage[];
  readonly omitted: string[];
}

/**
 * What is found is there also when this fails. `path` with "!" between an archive and what lies in it. Fails with ARCHIVE_CORRUPT (data_loss),
 * ARCHIVE_LIMIT (resource_exhausted).
 */
function gather(bytes: Buffer, path: string, depth: number, budget: Budget, { packages, omitted }: Gathered): void {
  if (++budget.archives > maxArchives) throw limit(`more than ${maxArchives} archives in it`);
  const members = listZip(bytes);
  const open = (member: ZipMember, maxBytes: number): Buffer => {
    const most = Math.min(maxBytes, budget.bytes);
    try {
      const content = readZipMember(bytes, member, most);
      budget.bytes -= content.length;
      return content;
    } catch (error) {
      // what is damaged at its end cost as much as if it were not
      budget.bytes -= Math.min(most, member.packedSize * mostByByte);
      throw error;
    }
  };
  const poms = members.filter(({ name }) => /^META-INF\/maven\/[^/]+\/[^/]+\/pom\.properties$/.test(name));
  const found = poms.flatMap((member): readonly FoundPackage[] => {
    const values = properties(open(member, mebibyte).toString());
    const [group, artifact, version] = ["groupId", "artifactId", "version"].map((key) => values.get(key));
    return group === undefined || artifact === undefined || version === undefined ? [] : [{ type: "maven", name: `${group}:${artifact}`, version }];
  });
  if (found.length === 0) {
    const manifest = members.find(({ name }) => name === "META-INF/MANIFEST.MF");
    found.push(...fromManifest(manifest === undefined ? new Map() : manifestOf(open(manifest, 4 * mebibyte).toString()), path));
  }
  for (const one of found) packages.push(one);
  for (const member of members.filter(({ name }) => archiveName.test(name))) {
    if (depth === maxDepth) {
      omitted.push(`${member.name}: archives lie more than ${maxDepth} deep`);
      continue;
    }
    try {
      const inner = open(member, maxInnerBytes);
      gather(inner, `${path}!${member.name}`, depth + 1, budget, { packages, omitted });
      releaseBytes(inner);
    } catch (error) {
      // one that is damaged does not hide its neighbours; a bomb does
      if (!isSlipwayError(error, "ARCHIVE_CORRUPT")) throw error;
      omitted.push(`${member.name}: ${error.message}`);
    }
  }
}

function limit(why: string): SlipwayError {
  return new SlipwayError("resource_exhausted", "ARCHIVE_LIMIT", `zip archive: ${why}`, { reason: why });
}

export function readJavaArchive(bytes: Buffer, path: string): FileFacts {
  const [found, omitted]: [FoundPackage[], string[]] = [[], []];
  try {
    gather(bytes, path, 0, { bytes: maxUnpackedBytes, archives: 0 }, { packages: found, omitted });
  } catch (error) {
    if (!isSlipwayError(error, "ARCHIVE_LIMIT")) throw error;
    omitted.unshift(error.message);
  }
  const packages = [...new Map(found.map((one) => [`${one.name} ${one.version}`, one])).values()];
  return { ...(packages.length === 0 ? {} : { packages }), ...(omitted.length === 0 ? {} : { omitted: omitted.slice(0, 20) }) };
}

export const javaReaders: readonly PackageReader[] = [
  { suffixes: [".jar", ".war", ".ear", ".par", ".jpi", ".hpi", ".kar", ".sar"], maxBytes: 256 * mebibyte, read: (bytes, path) => readJavaArchive(bytes, path) },
];
