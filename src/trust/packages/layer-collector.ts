/** Makes a layer's inventory from its files, in whatever order they come: told of each, it says of which it wants the bytes. */
import { SlipwayError } from "../../base/errors.ts";
import type { FileNode } from "../../store/index.ts";
import { piecesOf, type PieceReader } from "./elf-sections.ts";
import type { LayerFile, LayerInventory } from "./layer-inventory.ts";
import type { FoundPackage } from "./package.ts";
import { readerTable } from "./readers.ts";
import { isProgram, maxProgramBytes, readProgram } from "./programs.ts";
import { maxPackagesOfFile, type FileFacts } from "./package-reader.ts";
import { PathHashes } from "./path-set.ts";

export type SeenFile = Pick<FileNode, "type" | "mode" | "size" | "linkname">;

/** "program": worth reading if its first bytes are those of a program. */
export type Wanted = "nothing" | "content" | "program";

/** More than any image of use has; beyond them a layer is one that wants to exhaust its reader. */
const maxPackages = 200_000;
const maxOwnedPaths = 1_500_000;
const maxOmissions = 1000;

const documents = /^usr\/share\/doc\/([^/]+)$/;

export class LayerCollector {
  readonly #files: LayerFile[] = [];
  readonly #paths = new PathHashes();
  readonly #removed: string[] = [];
  readonly #opaque: string[] = [];
  readonly #owners = new Map<string, string>();
  readonly #documentLinks: Record<string, string> = {};
  #packages = 0;
  #unnamed = 0;
  readonly #omitted: { readonly path: string; readonly reason: string }[] = [];

  removed(path: string): void {
    this.#removed.push(path);
  }

  opaque(path: string): void {
    this.#opaque.push(path);
  }

  /** A later call for the same path replaces the former one's file. */
  seen(path: string, { type, mode, size, linkname }: SeenFile): Wanted {
    if (type === "directory") return "nothing";
    this.#paths.add(path);
    const [, name] = type === "symlink" ? (documents.exec(path) ?? []) : [];
    if (name !== undefined) this.#documentLinks[name] = linkname.slice(linkname.lastIndexOf("/") + 1);
    if (type !== "file" || size === 0) return "nothing";
    const reader = readerTable.find(path);
    if (reader !== undefined) return size >= (reader.minBytes ?? 0) && this.#fits(path, size, reader.maxBytes) ? "content" : "nothing";
    if ((mode & 0o111) === 0 || size < 128) return "nothing";
    return "program";
  }

  /** Whether a program's file is to be read to its end: `head` are its first bytes, four at least. */
  isWantedProgram(path: string, size: number, head: Uint8Array): boolean {
    return isProgram(head) && this.#fits(path, size, maxProgramBytes);
  }

  #fits(path: string, size: number, maxBytes: number): boolean {
    if (size <= maxBytes) return true;
    this.#omit(path, `its ${size} bytes are more than the ${maxBytes} that are read`);
    return false;
  }

  content(path: string, bytes: Buffer): void {
    const reader = readerTable.find(path);
    this.#keep(path, () => (reader === undefined ? readProgram(piecesOf(bytes)) : reader.read(bytes, path)));
  }

  program(path: string, program: PieceReader): void {
    this.#keep(path, () => readProgram(program));
  }

  #keep(path: string, read: () => FileFacts): void {
    const { owned = [], omitted = [], packages, ...others } = readable(read);
    const kept = packages?.filter(isOfUse);
    const facts = kept === undefined || kept.length === 0 ? others : { ...others, packages: kept };
    if (kept !== undefined && packages !== undefined && kept.length < packages.length) {
      this.#omit(path, `${packages.length - kept.length} of its packages say more of themselves than is kept`);
    }
    for (const reason of omitted) this.#omit(path, reason);
    for (const one of owned) this.#own(path, one);
    const count = kept?.length ?? 0;
    if (count > maxPackagesOfFile || this.#packages + count > maxPackages) {
      this.#omit(path, `its ${count} packages are too many: at most ${maxPackagesOfFile} of a file and ${maxPackages} of a layer are kept`);
      return;
    }
    this.#packages += count;
    if (Object.keys(facts).length > 0) this.#files.push({ path, ...facts });
  }

  #own(path: string, { owner, paths }: { readonly owner: string; readonly paths: readonly string[] }): void {
    if (this.#owners.size + paths.length > maxOwnedPaths) {
      this.#omit(path, `the files of ${owner} are too many: at most ${maxOwnedPaths} of a layer are known as a package's`);
      return;
    }
    for (const one of paths) this.#owners.set(withoutUsr(one), owner);
  }

  /** What whoever visits could not read. */
  leftOut(path: string, reason: string): void {
    this.#omit(path, reason.slice(0, 300));
  }

  #omit(path: string, reason: string): void {
    if (this.#omitted.length < maxOmissions) this.#omitted.push({ path, reason });
    else this.#unnamed++;
  }

  #shownOmissions(): LayerInventory["omitted"] {
    return this.#unnamed === 0 ? this.#omitted : [...this.#omitted, { path: "", reason: `${this.#unnamed} more of its files could not be read` }];
  }

  finish(): LayerInventory {
    const last = new Map(this.#files.map((file) => [file.path, file]));
    const files = [...last.values()].map((file) => {
      const owner = this.#owners.get(withoutUsr(file.path));
      return owner === undefined ? file : { ...file, owner };
    });
    return {
      files: files.sort((a, b) => (a.path < b.path ? -1 : 1)),
      documentLinks: this.#documentLinks,
      removed: this.#removed,
      opaque: this.#opaque,
      paths: this.#paths.toSet(),
      omitted: this.#shownOmissions(),
    };
  }
}

/** Real ones have names and versions of some hundred characters at most, and licences of some thousand. */
const [maxWord, maxText] = [1000, 20_000];

function isOfUse({ name, version, architecture = "", source, licences = [], supplier = "", homepage = "" }: FoundPackage): boolean {
  const words = [name, version, architecture, source?.name ?? "", source?.version ?? ""];
  return (
    words.every((word) => word.length <= maxWord) && [...licences, supplier, homepage].every((text) => text.length <= maxText) && licences.length <= maxWord
  );
}

/** A file that its reader cannot read is no failure of the whole: it is named as left out. */
function readable(read: () => FileFacts): FileFacts {
  try {
    return read();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (error instanceof SlipwayError && error.kind === "canceled") throw error;
    return { omitted: [reason.slice(0, 300)] };
  }
}

/** Databases of merged-usr systems still say /bin/x of what lies at /usr/bin/x. */
function withoutUsr(path: string): string {
  return path.startsWith("usr/") ? path.slice(4) : path;
}
