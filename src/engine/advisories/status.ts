/** What is told of a database of advisories. */
import type { Store } from "../../store/index.ts";
import { databaseDigest, type DatabaseIndex } from "../../trust/advisories/database-index.ts";
import type { AdvisoryStatus } from "../advisory-api.ts";
import { readIndex } from "./database.ts";

export function statusOf(store: Store, index: DatabaseIndex): AdvisoryStatus {
  return {
    digest: databaseDigest(index),
    createdSeconds: index.createdSeconds,
    ecosystems: index.files
      .map(({ ecosystem: name, packages, advisories, sizeBytes }) => ({ name, packages, advisories, sizeBytes }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    sources: index.sources.map(({ name, digest, ecosystems, newest, newestYear, isAdded = false, importedSeconds }) => ({
      name,
      digest,
      ecosystems,
      newest,
      newestYear,
      isAdded,
      importedSeconds,
    })),
    exploited: index.exploited.length,
    pulledFrom: store.advisories.origin(),
  };
}

export function currentStatus(store: Store): AdvisoryStatus | undefined {
  const index = readIndex(store);
  return index === undefined ? undefined : statusOf(store, index);
}
