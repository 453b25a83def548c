/** What a container's monitor runs when the container ended: `node on-exit.ts STORE ID`. Clears away, and removes the container for --rm. */
import { Store } from "../../store/index.ts";
import { cleanupContainer, removeContainer } from "../../runtime/container.ts";
import type { ContainerRecord } from "../../runtime/container-records.ts";
import { createHost, createRecords } from "./container-host.ts";
import { removeAnonymousVolumes } from "./volumes.ts";

const [root, id] = process.argv.slice(2);
if (root !== undefined && id !== undefined) {
  const store = Store.open(root);
  const records = createRecords(store, () => []);
  const host = createHost(store, records, () => {});
  const record: ContainerRecord | undefined = records.get(id);
  if (record !== undefined) {
    await cleanupContainer(host, id);
    if (record.config.removeOnExit) {
      await removeContainer(host, id, { force: true });
      removeAnonymousVolumes(store, record);
    }
  }
  store.close();
}
