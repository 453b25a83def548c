/** Makes a container: its record, its directory. Nothing runs yet. */
import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { isSlipwayError } from "../base/errors.ts";
import { tellContainer } from "./container-events.ts";
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
    command: shownCommand(options.config.args),
    created: new Date().toISOString(),
    ports: options.ports,
    labels: options.labels,
    mounts: options.mounts,
    state: neverStarted,
    config: options.config.hostname === "" ? { ...options.config, hostname: id.slice(0, 12) } : options.config,
    paths: { directory, lowers: options.lowers, upper: `${directory}/upper`, work: `${directory}/work` },
    runtimePath: "",
  };
  // the record first: a collection that comes in between would take a directory without one for garbage
  const record = insertNamed(host, base, options.name);
  try {
    makeDirectories(record);
    tellContainer(host, record, "create");
    return record;
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    host.records.remove(id);
    throw error;
  }
}

/** As `ps` shows it: arguments with a blank stand in quotes. */
export function shownCommand([program = "", ...args]: readonly string[]): string {
  return [program, ...args.map((arg) => (arg.includes(" ") ? `'${arg}'` : arg))].join(" ");
}

/** Also when they are there already: a creation that was killed may lack them. */
export function makeDirectories({ paths }: Pick<ContainerRecord, "paths">): void {
  for (const path of [paths.directory, paths.upper, paths.work]) mkdirSync(path, { recursive: true, mode: 0o755 });
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
