/** The store's database of advisories, for reading and for replacing. */
import { SlipwayError } from "../../base/errors.ts";
import type { Store } from "../../store/index.ts";
import type { Advisory } from "../../trust/advisories/advisory.ts";
import { emptyIndex, formatDatabaseIndex, parseDatabaseIndex, type DatabaseFile, type DatabaseIndex } from "../../trust/advisories/database-index.ts";
import { PackedFile } from "../../trust/advisories/packed-file.ts";

/** undefined where nothing was ever imported. */
export function readIndex(store: Store): DatabaseIndex | undefined {
  const bytes = store.advisories.index();
  return bytes === undefined ? undefined : parseDatabaseIndex(bytes);
}

/** Fails with NO_DATABASE (failed_precondition). */
export function requireIndex(store: Store): DatabaseIndex {
  const index = readIndex(store);
  if (index !== undefined && index.files.length > 0) return index;
  const remedy = "slipway db import FILE, or slipway db pull REFERENCE";
  throw new SlipwayError("failed_precondition", "NO_DATABASE", "there are no advisories here to compare with", { remedy, bare: true });
}

/** `besides`: files that are no part of the database and stay. */
export function replaceIndex(store: Store, index: DatabaseIndex, besides: readonly string[] = []): void {
  store.advisories.replaceIndex(
    formatDatabaseIndex(index),
    index.files.map(({ digest }) => digest),
    besides,
  );
}

/** Of one ecosystem; undefined where the database has none of it. */
export function withPackedFile<Result>(store: Store, index: DatabaseIndex, ecosystem: string, read: (file: PackedFile) => Result): Result | undefined {
  const file = index.files.find((one) => one.ecosystem === ecosystem);
  if (file === undefined) return undefined;
  using opened = store.advisories.open(file.digest);
  return read(new PackedFile((offset, length) => opened.read(offset, length), ecosystem, file.headDigest));
}

type NamedAdvisories = readonly [name: string, advisories: readonly Advisory[]];

/** Of these packages of an ecosystem, one after the other; undefined where the database has none of it. */
export function advisoriesOf(store: Store, index: DatabaseIndex, ecosystem: string, names: readonly string[]): Iterable<NamedAdvisories> | undefined {
  const file = index.files.find((one) => one.ecosystem === ecosystem);
  return file === undefined ? undefined : readAdvisories(store, file, names);
}

function* readAdvisories(store: Store, file: DatabaseFile, names: readonly string[]): Generator<NamedAdvisories> {
  using opened = store.advisories.open(file.digest);
  yield* new PackedFile((offset, length) => opened.read(offset, length), file.ecosystem, file.headDigest).find(names);
}

export { emptyIndex };
