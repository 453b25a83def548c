/** What happens to containers, in Docker's words, for the journal. The end of a run is told once, by whoever sees it first. */
import { randomBytes } from "node:crypto";
import { unlinkSync, writeFileSync } from "node:fs";
import type { StoreEvent } from "../store/event-journal.ts";
import { containerFiles, type ContainerHost } from "./container-host.ts";
import type { ContainerRecord, ContainerState } from "./container-records.ts";

type Attributes = Readonly<Record<string, string>>;

export function tellContainer(host: ContainerHost, record: ContainerRecord, action: string, attributes: Attributes = {}): void {
  host.journal?.append([containerEvent(record, action, attributes)]);
}

export function containerEvent({ id, name, imageName, labels }: ContainerRecord, action: string, attributes: Attributes = {}): StoreEvent {
  return { type: "container", action, id, attributes: { ...labels, image: imageName, name, ...attributes } };
}

/** From now on its end may be told. */
export function tellStart(host: ContainerHost, record: ContainerRecord): void {
  if (host.journal === undefined) return;
  const mounted = volumesOf(record).map(({ name, destination, readOnly }) =>
    volumeEvent(record, "mount", name, { destination, propagation: "", "read/write": String(!readOnly) }),
  );
  host.journal.append([...mounted, ...networkEvents(host, record, "connect"), containerEvent(record, "start")]);
  writeFileSync(toldFile(host, record), "", { mode: 0o600 });
}

/** `state`: as it ended. Nothing when it was told before, or never began. */
export function tellEnd(host: ContainerHost, record: ContainerRecord, state: ContainerState): void {
  if (host.journal === undefined || !claim(toldFile(host, record))) return;
  const seconds = Math.floor((Date.parse(state.finishedAt) - Date.parse(state.startedAt)) / 1000);
  const die = { execDuration: String(Math.max(0, seconds) || 0), exitCode: String(state.exitCode) };
  host.journal.append([
    ...(state.oomKilled ? [containerEvent(record, "oom")] : []),
    ...networkEvents(host, record, "disconnect"),
    ...volumesOf(record).map(({ name }) => volumeEvent(record, "unmount", name, {})),
    containerEvent(record, "die", die),
  ]);
}

/** What is told of a further process; its end by whoever sees it. */
export function tellExec(host: ContainerHost, record: ContainerRecord, args: readonly string[]): { readonly end: (exitCode: string) => StoreEvent } {
  const execID = randomBytes(32).toString("hex");
  const [program = "", ...rest] = args;
  // the blank stands there without arguments, too
  const words = `${program} ${rest.join(" ")}`;
  host.journal?.append(["exec_create", "exec_start"].map((kind) => containerEvent(record, `${kind}: ${words}`, { execID })));
  return { end: (exitCode) => containerEvent(record, "exec_die", { execID, exitCode }) };
}

/** Shell lines that tell: `event` of what stands in the shell's place for the hole. Nothing where nothing is told. */
export function tellCommand(host: ContainerHost, event: (hole: string) => StoreEvent, hole: string): string {
  if (host.journal === undefined) return ":";
  const [before = "", after = ""] = JSON.stringify(event(holeMark)).split(holeMark);
  const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
  return `printf '\\n%s %s%s%s\\n' "$(date +%s%N)" ${quoted(before)} "${hole}" ${quoted(after)} >>${quoted(host.journal.files.current)}`;
}

const holeMark = "<hole>";

/** One process alone can take the file away. */
function claim(file: string): boolean {
  try {
    unlinkSync(file);
    return true;
  } catch {
    return false;
  }
}

function toldFile(host: ContainerHost, record: ContainerRecord): string {
  return `${containerFiles(host, record).run}/started`;
}

function volumesOf({ mounts }: ContainerRecord): readonly { readonly name: string; readonly destination: string; readonly readOnly: boolean }[] {
  return mounts.flatMap(({ name, destination, readOnly }) => (name === undefined ? [] : [{ name, destination, readOnly }]));
}

function volumeEvent({ id }: ContainerRecord, action: string, volume: string, attributes: Attributes): StoreEvent {
  return { type: "volume", action, id: volume, attributes: { container: id, driver: "local", ...attributes } };
}

function networkEvents(host: ContainerHost, record: ContainerRecord, action: string): readonly StoreEvent[] {
  return networksOf(host, record).map(({ id, name, type }) => networkEvent(record, action, { id, name, type }));
}

export interface ToldNetwork {
  readonly id: string;
  readonly name: string;
  readonly type: string;
}

export function networkEvent({ id: container }: Pick<ContainerRecord, "id">, action: string, { id, name, type }: ToldNetwork): StoreEvent {
  return { type: "network", action, id, attributes: { container, name, type } };
}

const typesOfModes = { bridge: "bridge", host: "host", none: "null" } as const;

function networksOf(host: ContainerHost, { config }: ContainerRecord): readonly ToldNetwork[] {
  const { networkMode, networks } = config;
  if (networkMode === "joined") return [];
  const predefined = (name: keyof typeof typesOfModes): ToldNetwork => ({ id: host.predefinedNetworkId?.(name) ?? "", name, type: typesOfModes[name] });
  if (networks === undefined) return [predefined(networkMode)];
  const attached = networks.attached.map(({ networkId, networkName }) => ({ id: networkId, name: networkName, type: "bridge" }));
  return [...(networks.bridge ? [predefined("bridge")] : []), ...attached];
}
