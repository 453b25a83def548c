/** What reads one kind of file: which files it wants, and what they say. Pure: bytes in, facts out. */
import { SlipwayError } from "../../base/errors.ts";
import type { Distribution, FoundPackage } from "./package.ts";

export interface FileFacts {
  readonly packages?: readonly FoundPackage[];
  readonly distribution?: Distribution;
  readonly repositories?: readonly string[];
  /** by the name of the distribution's package */
  readonly licences?: Readonly<Record<string, readonly string[]>>;
  /** files that a package of the distribution brought; used within the layer and not kept */
  readonly owned?: readonly { readonly owner: string; readonly paths: readonly string[] }[];
  /** parts of the file that were not looked into */
  readonly omitted?: readonly string[];
}

export interface PackageReader {
  /** exact names of files, without their directory */
  readonly names?: readonly string[];
  /** with the dot: ".jar" */
  readonly suffixes?: readonly string[];
  /** the directory, with its last slash, and all below it */
  readonly directories?: readonly string[];
  /** of those that the lists above let through, what is wanted; all where it is absent */
  readonly wants?: (path: string) => boolean;
  /** smaller files are not looked at */
  readonly minBytes?: number;
  /** larger files are not read, and the inventory says so */
  readonly maxBytes: number;
  read(bytes: Buffer, path: string): FileFacts;
}

/** More than any image of use has in one file. */
export const maxPackagesOfFile = 100_000;

/** Ends early: what comes one by one is not gathered beyond the bound. Fails with DOCUMENT_TOO_LARGE (resource_exhausted). */
export function bounded<T>(found: Iterable<T>, limit = maxPackagesOfFile): readonly T[] {
  const list: T[] = [];
  for (const one of found) {
    if (list.length === limit) throw new SlipwayError("resource_exhausted", "DOCUMENT_TOO_LARGE", `it names more than ${limit} packages`, { limit });
    list.push(one);
  }
  return list;
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** From a path to its reader, without asking each. */
export class ReaderTable {
  readonly #byName = new Map<string, PackageReader[]>();
  readonly #bySuffix = new Map<string, PackageReader[]>();
  readonly #byDirectory: (readonly [string, PackageReader])[] = [];

  constructor(readers: readonly PackageReader[]) {
    const add = (map: Map<string, PackageReader[]>, key: string, reader: PackageReader): void => {
      map.set(key, [...(map.get(key) ?? []), reader]);
    };
    for (const reader of readers) {
      for (const name of reader.names ?? []) add(this.#byName, name, reader);
      for (const suffix of reader.suffixes ?? []) add(this.#bySuffix, suffix, reader);
      for (const directory of reader.directories ?? []) this.#byDirectory.push([directory, reader]);
    }
  }

  find(path: string): PackageReader | undefined {
    const name = baseName(path);
    const dot = name.lastIndexOf(".");
    const candidates = [...(this.#byName.get(name) ?? []), ...(dot < 0 ? [] : (this.#bySuffix.get(name.slice(dot)) ?? []))];
    for (const [directory, reader] of this.#byDirectory) if (path.startsWith(directory)) candidates.push(reader);
    return candidates.find((reader) => reader.wants?.(path) ?? true);
  }
}
