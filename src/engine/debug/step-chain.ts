/** The root file system of a kept step as layers: what the step had written becomes one when somebody needs it as such. */
import { join } from "node:path";
import { existsSync } from "node:fs";
import type { Chain, KeptStep, Store } from "../../store/index.ts";
import { hashDirectory } from "../../store/pack.ts";
import { keptSteps, layersOfRecord, type RecordedFiles, type StepRecord } from "../../solver/step-record.ts";

/** Cost: one pass over what the step wrote, the first time. */
export function stepChain(store: Store, step: KeptStep<StepRecord>): Chain {
  const { root } = step.record;
  if (root.saved === undefined) return root.chain;
  const chain = [...root.chain, adoptAsLayer(store, join(step.directory, root.saved))];
  const files: RecordedFiles = { chain };
  const record = { ...step.record, root: files };
  keptSteps(store).note(step.id, record, layersOfRecord(record));
  return chain;
}

/** Moves an overlay's upper directory into the store's layers. */
function adoptAsLayer(store: Store, directory: string): Chain[number] {
  let sizeBytes = 0;
  const { diffId } = hashDirectory({
    directory,
    overlay: true,
    wholeSeconds: true,
    owners: store.ownership.owners,
    onEntry: (entry) => {
      sizeBytes += entry.size;
    },
  });
  if (existsSync(directory)) store.layers.adoptDirectory(diffId, directory, sizeBytes);
  return diffId;
}
