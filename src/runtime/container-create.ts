/** Makes a container: its record, its directory. Nothing runs yet. */
import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { isSlipwayError } from "../base/errors.ts";
import type { ContainerHost, CreateContainerOptions } from "./container-host.ts";
import { checkContainerName, randomName } from "./container-names.ts";
import type { ContainerRecord, ContainerState } from "./container-records.ts";

export const neverStarted: ContainerState = {
  status: "created",
  pid: 0,
  startTimeTicks: "",
  exitCode: 0,
  startedAt: "",
  finishedAt: "",
  oomKilled: false,
  error: "",
};

const nameAttempts = 10;

/** Fails with NAME_TAKEN (conflict) or INVALID_CONTAINER_NAME; leaves nothing behind then. */
export function createContainer(host: ContainerHost, options: CreateContainerOptions): ContainerRecord {
  const id = options.id ?? randomBytes(32).toString("hex");
  const directory = `${options.containersDirectory}/${id}`;
  const base: Omit<ContainerRecord, "name"> = {
    id,
    imageId: options.imageId,
    imageName: options.imageName,
    command: options.config.args.join(" "),
    created: new Date().toISOString(),
    ports: options.ports,
    labels: options.labels,
    mounts: options.mounts,
    state: neverStarted,
    config: options.config.hostname === "" ? { ...options.config, hostname: id.slice(0, 12) } : options.config,
    paths: { directory, lowers: options.lowers, upper: `${directory}/upper`, work: `${directory}/work` },
    runtimePath: "",
  };
  for (const path of [directory, `${directory}/upper`, `${directory}/work`]) mkdirSync(path, { recursive: true, mode: 0o755 });
  try {
    return insertNamed(host, base, options.name);
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}

function insertNamed(host: ContainerHost, base: Omit<ContainerRecord, "name">, name: string | undefined): ContainerRecord {
  const insert = (chosen: string): ContainerRecord => {
    const record = { ...base, name: chosen };
    host.records.insert(record);
    return record;
  };
  if (name !== undefined) return insert(checkContainerName(name));
  for (let attempt = 0; ; attempt++) {
    try {
      return insert(randomName(Math.random, attempt));
    } catch (error) {
      if (!isSlipwayError(error, "NAME_TAKEN") || attempt === nameAttempts) throw error;
    }
  }
}
