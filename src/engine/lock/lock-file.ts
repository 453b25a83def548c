/** `slipway.lock`: what the remote names of Dockerfiles mean, by digest, checksum and commit. Text ↔ value, pure. */
import { SlipwayError } from "../../base/errors.ts";
import { isDigest } from "../../oci/digest.ts";
import { parseLocated, type LocatedFields } from "../../oci/located-json.ts";

export type LockKind = "image" | "file" | "repository";

export interface LockEntry {
  readonly kind: LockKind;
  /** an image's full name; a URL; a repository's URL with `#ref` */
  readonly name: string;
  /** of an image its digest, an index's where it has one; of a file `sha256:…`; of a repository the commit */
  readonly value: string;
  /** Dockerfiles, relative to the lock's directory */
  readonly usedBy: readonly string[];
}

export interface Lock {
  /** in order, each name once */
  readonly entries: readonly LockEntry[];
  /** what `# syntax=` names is left out: nothing of it is fetched, the frontend is built in */
  readonly hasBuiltinSyntax: boolean;
}

const builtin = "built in";

export const lockFileName = "slipway.lock";
export const emptyLock: Lock = { entries: [], hasBuiltinSyntax: false };

interface Section {
  readonly kind: LockKind;
  readonly key: string;
  readonly field: string;
  readonly isValue: (text: string) => boolean;
}

const sections: readonly Section[] = [
  { kind: "image", key: "images", field: "digest", isValue: isDigest },
  { kind: "file", key: "files", field: "checksum", isValue: (text) => /^sha256:[0-9a-f]{64}$/.test(text) },
  { kind: "repository", key: "repositories", field: "commit", isValue: (text) => /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text) },
];

const byName = (a: LockEntry, b: LockEntry): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

/** `path`: for messages. Fails with LOCK_INVALID, which names the line. */
export function parseLock(text: string, path: string): Lock {
  const fail = (line: number, reason: string): SlipwayError =>
    new SlipwayError("invalid_argument", "LOCK_INVALID", `${path}:${line}: ${reason}`, { path, line });
  const root = parseLocated(text, fail);
  root.only("version", "syntax", ...sections.map(({ key }) => key));
  if (root.value("version") !== 1) throw root.fail("version", `want "version": 1: a newer Slipway may have written it`);
  const hasBuiltinSyntax = root.oneOf("syntax", [builtin]) === builtin;
  return { entries: sections.flatMap((section) => root.entries(section.key).map(([name, fields]) => entryFrom(section, name, fields))), hasBuiltinSyntax };
}

function entryFrom({ kind, field, isValue }: Section, name: string, fields: LocatedFields): LockEntry {
  fields.only(field, "usedBy");
  const value = fields.requiredString(field);
  if (!isValue(value)) throw fields.fail(field, `${JSON.stringify(value)} is no ${field}`);
  return { kind, name, value, usedBy: fields.strings("usedBy") ?? [] };
}

/** The same entries give the same bytes. */
export function formatLock({ entries, hasBuiltinSyntax }: Lock): string {
  const document: Record<string, unknown> = { version: 1, ...(hasBuiltinSyntax ? { syntax: builtin } : {}) };
  for (const { kind, key, field } of sections) {
    const own = entries.filter((entry) => entry.kind === kind).toSorted(byName);
    if (own.length > 0) document[key] = Object.fromEntries(own.map(({ name, value, usedBy }) => [name, { [field]: value, usedBy: usedBy.toSorted() }]));
  }
  return `${JSON.stringify(document, null, 2)}\n`;
}

export function findEntry({ entries }: Pick<Lock, "entries">, kind: LockKind, name: string): LockEntry | undefined {
  return entries.find((entry) => entry.kind === kind && entry.name === name);
}

export type LockChange =
  | { readonly change: "added" | "kept" | "removed"; readonly kind: LockKind; readonly name: string; readonly value: string }
  | { readonly change: "updated"; readonly kind: LockKind; readonly name: string; readonly value: string; readonly before: string };

export function compareLocks(before: Pick<Lock, "entries">, after: Pick<Lock, "entries">): readonly LockChange[] {
  const kept = after.entries.map(({ kind, name, value }): LockChange => {
    const known = findEntry(before, kind, name);
    if (known === undefined) return { change: "added", kind, name, value };
    return known.value === value ? { change: "kept", kind, name, value } : { change: "updated", kind, name, value, before: known.value };
  });
  const removed = before.entries.filter(({ kind, name }) => findEntry(after, kind, name) === undefined);
  return [...kept, ...removed.map(({ kind, name, value }): LockChange => ({ change: "removed", kind, name, value }))].toSorted(
    (a, b) => sections.findIndex(({ kind }) => kind === a.kind) - sections.findIndex(({ kind }) => kind === b.kind) || (a.name < b.name ? -1 : 1),
  );
}
