/** The store's database of advisories, for reading and for replacing. */
import { isSlipwayError, SlipwayError } from "../../base/errors.ts";
import type { Store } from "../../store/index.ts";
import type { Advisory } from "../../trust/advisories/advisory.ts";
import { emptyIndex, formatDatabaseIndex, parseDatabaseIndex, type DatabaseFile, type DatabaseIndex } from "../../trust/advisories/database-index.ts";
import { PackedFile } from "../../trust/advisories/packed-file.ts";

/** undefined where nothing was ever imported. Fails with ADVISORIES_DAMAGED (data_loss), ADVISORIES_TOO_NEW (failed_precondition). */
export function readIndex(store: Store): DatabaseIndex | undefined {
  const bytes = store.advisories.index();
  try {
    return bytes === undefined ? undefined : parseDatabaseIndex(bytes);
  } catch (error) {
    if (!isSlipwayError(error, "INVALID_DOCUMENT")) throw error;
    const remedy = "import or pull the advisories again: slipway db import, slipway db pull";
    throw new SlipwayError("data_loss", "ADVISORIES_DAMAGED", "advisories: their index cannot be read", { remedy }, error);
  }
}

/** What an import begins with: of a database whose index is damaged nothing is left. Fails with ADVISORIES_TOO_NEW. */
export function indexToReplace(store: Store): DatabaseIndex {
  try {
    return readIndex(store) ?? emptyIndex;
  } catch (error) {
    if (isSlipwayError(error, "ADVISORIES_DAMAGED")) return emptyIndex;
    throw error;
  }
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
