/** What a kept step is made of as layers, the way other machines can have it. */
import { lstatSync } from "node:fs";
import { join } from "node:path";
import { digestFromHex } from "../../oci/digest.ts";
import { createHash } from "node:crypto";
import type { Chain, KeptStep, Store } from "../../store/index.ts";
import { hashDirectory, packDirectory } from "../../store/pack.ts";
import { keptSteps, layersOfRecord, type RecordedFiles, type StepRecord } from "../../solver/step-record.ts";

/** Everything that the step wrote is in layers afterwards, its root and its mounts. Cost: one pass over it, the first time. */
export function settleStep(store: Store, step: KeptStep<StepRecord>): StepRecord {
  const settle = (files: RecordedFiles): RecordedFiles => {
    if (files.saved === undefined) return files;
    const directory = join(step.directory, files.saved);
    const root = rootOf(directory);
    return { chain: [...files.chain, adoptAsLayer(store, directory)], root };
  };
  const { record } = step;
  const settled: StepRecord = {
    ...record,
    root: settle(record.root),
    mounts: record.mounts.map((mount) => ("files" in mount ? { ...mount, files: settle(mount.files) } : mount)),
  };
  keptSteps(store).note(step.id, settled, layersOfRecord(settled));
  return settled;
}

/** The root file system alone. */
export function stepChain(store: Store, step: KeptStep<StepRecord>): Chain {
  return step.record.root.saved === undefined ? step.record.root.chain : settleStep(store, step).root.chain;
}

/** Caches too: as they are now. The step's own record still names them. */
export function withCaches(store: Store, record: StepRecord): StepRecord {
  const copy = (files: RecordedFiles): RecordedFiles => {
    if (files.cache === undefined) return files;
    const cache = store.cacheMounts.all().find(({ id }) => id === files.cache);
    return cache === undefined ? { chain: files.chain } : { chain: [...files.chain, packAsLayer(store, cache.path)], root: rootOf(cache.path) };
  };
  return { ...record, mounts: record.mounts.map((mount) => ("files" in mount ? { ...mount, files: copy(mount.files) } : mount)) };
}

/** A layer has no entry for its root. */
function rootOf(directory: string): NonNullable<RecordedFiles["root"]> {
  const { uid, gid, mode } = lstatSync(directory);
  return { uid, gid, mode: mode & 0o7777 };
}

/** Moves an overlay's upper directory into the store's layers. */
function adoptAsLayer(store: Store, directory: string): Chain[number] {
  let sizeBytes = 0;
  const onEntry = (entry: { readonly size: number }): void => {
    sizeBytes += entry.size;
  };
  const { diffId } = hashDirectory({ directory, overlay: true, wholeSeconds: true, owners: store.ownership.owners, onEntry });
  store.layers.adoptDirectory(diffId, directory, sizeBytes);
  return diffId;
}

/** Leaves the directory where it is. */
function packAsLayer(store: Store, directory: string): Chain[number] {
  let sizeBytes = 0;
  const hash = createHash("sha256");
  using ingest = store.blobs.ingest();
  packDirectory({
    directory,
    overlay: false,
    wholeSeconds: true,
    owners: store.ownership.owners,
    onEntry: (entry) => {
      sizeBytes += entry.size;
    },
    onChunk: (bytes) => {
      hash.update(bytes);
      ingest.write(bytes);
    },
  });
  const diffId = digestFromHex(hash.digest("hex"));
  ingest.commit({ digest: diffId });
  store.layers.addTar(diffId, sizeBytes);
  return diffId;
}
