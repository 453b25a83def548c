/** The store and the machine as the runtime's containers need them. */
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { SlipwayError } from "../../base/errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { nameTaken, noSuchContainer } from "../../runtime/container-errors.ts";
import type { ContainerHost } from "../../runtime/container-host.ts";
import type { ContainerRecord, ContainerRecords } from "../../runtime/container-records.ts";
import { runDirectoryOf } from "../../runtime/run-directory.ts";
import { mountOverlay } from "../../store/overlay.ts";
import { predefinedId, readNetwork } from "../networks/network-store.ts";
import type { Store } from "../../store/index.ts";

/** Records on the store's database. `chainOf` names the layers that a new container stands on. */
export function createRecords(store: Store, chainOf: (record: ContainerRecord) => readonly Digest[]): ContainerRecords {
  const rows = store.containers<ContainerRecord>();
  return {
    insert: (record) => {
      const taken = rows.insert(record, chainOf(record));
      if (taken !== undefined) throw nameTaken(record.name, taken);
    },
    update: (record) => {
      const answer = rows.update(record);
      if (answer === false) throw noSuchContainer(record.id);
      if (typeof answer === "string") throw nameTaken(record.name, answer);
    },
    get: (nameOrIdPrefix) => rows.get(nameOrIdPrefix),
    list: () => rows.list().toSorted((a, b) => (a.created < b.created ? 1 : -1)),
    remove: (id) => rows.remove(id),
  };
}

/** In the place of the store: the program is to be the keeper of the networks. */
export const keeperWord = "networks:";

export function createHost(store: Store, records: ContainerRecords, onWarning: (message: string) => void): ContainerHost {
  const runDirectory = runDirectoryOf(store.layout.root, process.env, process.getuid?.() ?? 0);
  try {
    mkdirSync(runDirectory, { recursive: true, mode: 0o711 });
  } catch (error) {
    throw new SlipwayError(
      "denied",
      "RUN_DIRECTORY",
      `cannot make ${runDirectory} for the state of running containers`,
      { remedy: "set XDG_RUNTIME_DIR to a directory of yours" },
      error,
    );
  }
  const program = [process.execPath, "--disable-warning=ExperimentalWarning", fileURLToPath(new URL("./on-exit.ts", import.meta.url))];
  return {
    records,
    runDirectory,
    mountRootfs: (record, target) => {
      const { lowers, upper, work } = record.paths;
      mountOverlay({ lowers, upper, work, target });
    },
    onWarning,
    exitCommand: (id, run) => [...program, store.layout.root, id, run],
    keeper: { command: [...program, keeperWord, runDirectory], store: store.layout.root },
    networkOf: (id) => readNetwork(store, id),
    journal: store.events,
    predefinedNetworkId: (name) => predefinedId(store, name),
  };
}
