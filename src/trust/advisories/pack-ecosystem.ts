/** Makes packed files: from all rows, or from a file and what changed in it. Both give the same bytes for the same rows. */
import { hash } from "node:crypto";
import type { Advisory, PackageAdvisory } from "./advisory.ts";
import { BlockWriter, byText, type PackedEcosystem, type PackedLine } from "./packed-blocks.ts";
import type { PackedFile } from "./packed-file.ts";

/** A row's own, within its ecosystem. */
export function rowDigest({ name, advisory }: Pick<PackageAdvisory, "name" | "advisory">): string {
  return digestOfText(name, JSON.stringify(advisory));
}

function digestOfText(name: string, text: string): string {
  return hash("sha256", `${name}\t${text}`, "base64").slice(0, 16);
}

function lineOf(name: string, texts: Iterable<string>): PackedLine {
  return { name, text: `${name}\t[${[...texts].sort(byText).join(",")}]` };
}

/** The same rows in any order give the same bytes; what stands twice counts once. Blocks that `before` has are not compressed again. */
export function packEcosystem(ecosystem: string, rows: Iterable<PackageAdvisory>, before?: PackedFile): PackedEcosystem {
  const byName = new Map<string, Set<string>>();
  for (const { name, advisory } of rows) {
    const texts = byName.get(name);
    if (texts === undefined) byName.set(name, new Set([JSON.stringify(advisory)]));
    else texts.add(JSON.stringify(advisory));
  }
  const writer = new BlockWriter((firstName, text) => before?.bodyOf(firstName, text));
  let advisories = 0;
  for (const name of [...byName.keys()].sort(byText)) {
    const texts = byName.get(name) ?? new Set();
    advisories += texts.size;
    writer.line(lineOf(name, texts));
  }
  return writer.finish({ ecosystem, packages: byName.size, advisories });
}

/** What changes in one package. */
export interface PackageChange {
  /** digests of rows that go */
  readonly removed: ReadonlySet<string>;
  readonly added: readonly Advisory[];
}

/** Reads and compresses the blocks alone that the changes touch. */
export function updateEcosystem(before: PackedFile, changes: ReadonlyMap<string, PackageChange>): PackedEcosystem {
  const names = [...changes.keys()].sort(byText);
  const writer = new BlockWriter();
  let { packages, advisories } = before.facts;
  let next = 0;
  const change = (name: string, old: readonly string[]): void => {
    const { removed, added } = changes.get(name) ?? { removed: new Set(), added: [] };
    const texts = new Set([...old.filter((text) => !removed.has(digestOfText(name, text))), ...added.map((one) => JSON.stringify(one))]);
    packages += Number(texts.size > 0) - Number(old.length > 0);
    advisories += texts.size - old.length;
    if (texts.size > 0) writer.line(lineOf(name, texts));
  };
  const upTo = (end: string | undefined): void => {
    for (; next < names.length && (end === undefined || (names[next] as string) < end); next++) change(names[next] as string, []);
  };
  for (const { first, end, body, digest, lines } of before.blocks()) {
    upTo(first);
    const name = names[next];
    const isTouched = name !== undefined && (end === undefined || name < end);
    if (!isTouched && writer.isAtEnd) {
      writer.block(first, body(), digest);
      continue;
    }
    for (const line of lines()) {
      upTo(line.name);
      if (names[next] !== line.name) {
        writer.line(line);
        continue;
      }
      next++;
      change(line.name, textsOf(line));
    }
    upTo(end);
  }
  upTo(undefined);
  return writer.finish({ ecosystem: before.ecosystem, packages, advisories });
}

function textsOf({ name, text }: PackedLine): readonly string[] {
  return (JSON.parse(text.slice(name.length + 1)) as readonly Advisory[]).map((one) => JSON.stringify(one));
}
