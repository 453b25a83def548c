/** What a container's monitor runs when the container ended: `node on-exit.ts STORE ID RUN`. Clears that run away; removes for --rm. */
import { existsSync } from "node:fs";
import { cleanupContainer, restartByPolicy, waitForReaders } from "../../runtime/container.ts";
import type { ContainerRecord } from "../../runtime/container-records.ts";
import { layoutOf, Store } from "../../store/index.ts";
import { createHost, createRecords, keeperWord } from "./container-host.ts";
import { removeQuietly } from "./remove-container.ts";

/** A client that is stopped (Ctrl-Z) while it reads cannot keep the container for ever. */
const readersMs = 60_000;

async function endRun(store: Store, id: string, run: string): Promise<void> {
  const records = createRecords(store, () => []);
  const record: ContainerRecord | undefined = records.get(id);
  if (record === undefined) return;
  const host = createHost(store, records, () => {});
  await cleanupContainer(host, id, run);
  if (!record.config.removeOnExit) return await restartByPolicy(host, id);
  await waitForReaders(record.paths.directory, readersMs);
  await removeQuietly(store, host, id, false);
}

const [root, id, run] = process.argv.slice(2);
// a monitor's program, and the keeper of the networks: one file, so that every form of the package has both
// a store that was deleted meanwhile is not made anew
if (root === keeperWord && id !== undefined) await (await import("../../runtime/network-keeper.ts")).runNetworkKeeper(id);
else if (root !== undefined && id !== undefined && run !== undefined && existsSync(layoutOf(root).database)) {
  const store = Store.open(root);
  try {
    await endRun(store, id, run);
  } finally {
    store.close();
  }
}
