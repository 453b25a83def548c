/** What a new container mounts: -v, --mount, --tmpfs and --volumes-from, and the image's VOLUMEs. Volumes are made and filled. */
import { existsSync, mkdirSync } from "node:fs";
import { SlipwayError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import { requireContainer } from "../../runtime/container-errors.ts";
import type { ContainerMount, ContainerRecord, ContainerRecords } from "../../runtime/container-records.ts";
import { parseVolume } from "../../runtime/volume-spec.ts";
import type { Chain, FileView, Store } from "../../store/index.ts";
import type { MountOption, RunOptions } from "../container-api.ts";
import { newVolume } from "../volumes/volume-options.ts";
import { deleteVolume, ensureVolume, isAnonymous, readVolume, volumeDirectory, volumeUsers } from "../volumes/volume-store.ts";
import { copyUp } from "./copy-up.ts";
import { tmpfsMounts } from "./create-options.ts";
import { checkMount, invalid } from "./mount-options.ts";

export interface MountSources {
  readonly store: Store;
  readonly records: ContainerRecords;
  readonly chain: Chain;
  /** the image's VOLUMEs */
  readonly declared: readonly string[];
}

type Asked = Pick<RunOptions, "volumes" | "mounts" | "tmpfs" | "volumesFrom" | "volumeDriver" | "signal">;

/** What the user names comes before what another container has at the same place, and that before the image's volumes. INVALID_VOLUME. */
export async function prepareMounts(sources: MountSources, asked: Asked): Promise<readonly ContainerMount[]> {
  const wanted = [...wantedVolumes(asked), ...(asked.mounts ?? []).map(checkMount)];
  const tmpfs = tmpfsMounts(asked.tmpfs ?? []);
  checkUnique([...wanted.map(({ target }) => target), ...tmpfs.map(({ destination }) => destination)]);
  const taken = new Set(wanted.map(({ target }) => target));
  const inherited = mountsFrom(sources.records, asked.volumesFrom ?? []).filter(({ destination }) => !taken.has(destination));
  for (const { destination } of inherited) taken.add(destination);
  const declared = sources.declared.filter((path) => !taken.has(path)).map((target): WantedMount => ({ type: "volume", target, mode: "" }));
  const all: readonly WantedMount[] = [...wanted, ...declared];
  const fills = all.some((mount) => mount.type === "volume" && mount.noCopy !== true);
  const view = fills ? await sources.store.materializer.readableView(sources.chain, asked.signal) : undefined;
  return [...inherited, ...all.map((mount) => containerMount(sources.store, mount, view)), ...tmpfs];
}

/** `mode` is what stands behind the second colon of -v; absent for --mount. */
type WantedMount = MountOption & { readonly mode?: string; readonly createSource?: boolean };

function wantedVolumes(asked: Asked): readonly WantedMount[] {
  const driver = asked.volumeDriver === undefined ? {} : { volumeDriver: asked.volumeDriver };
  return (asked.volumes ?? []).map((value): WantedMount => {
    const spec = parseVolume(value, process.cwd());
    const base = { target: spec.destination, readOnly: spec.readOnly, mode: modeOf(value) };
    if (spec.kind === "bind") return { ...base, type: "bind", source: spec.source, createSource: true };
    const noCopy = spec.options.includes("nocopy");
    return { ...base, ...driver, type: "volume", noCopy, ...(spec.kind === "named" ? { source: spec.name } : {}) };
  });
}

function modeOf(value: string): string {
  const [, second, mode] = value.split(":");
  return mode ?? (second === undefined || /^[./]/.test(value) ? "" : "z");
}

function checkUnique(targets: readonly string[]): void {
  const twice = targets.find((target, index) => targets.indexOf(target) !== index);
  if (twice !== undefined) throw new SlipwayError("invalid_argument", "INVALID_VOLUME", printable(`Duplicate mount point: ${twice}`), { target: twice });
}

function containerMount(store: Store, mount: WantedMount, view: FileView | undefined): ContainerMount {
  const { target, source = "", readOnly = false } = mount;
  const base = { destination: target, readOnly, ...(mount.mode === undefined ? { asMount: true } : {}) };
  if (mount.type === "bind") {
    const propagation = mount.propagation ?? "";
    const options = mount.mode === undefined ? [propagation] : mount.mode.split(",");
    const nonRecursive = mount.nonRecursive === true ? { nonRecursive: true } : {};
    return { ...base, ...nonRecursive, type: "bind", source: bindSource(source, mount), options: options.filter((option) => option !== "") };
  }
  if (mount.type === "tmpfs") {
    const size = mount.tmpfsBytes === undefined ? [] : [`size=${mount.tmpfsBytes}`];
    const mode = mount.tmpfsMode === undefined ? [] : [`mode=${mount.tmpfsMode.toString(8)}`];
    return { ...base, type: "tmpfs", source: "", options: [...size, ...mode] };
  }
  return {
    ...base,
    ...openVolume(store, mount, mount.noCopy === true ? undefined : view),
    options: (mount.mode ?? "z").split(",").filter((word) => word !== ""),
  };
}

/** Docker makes a missing directory of -v; one of --mount has to be there. */
function bindSource(path: string, { createSource }: WantedMount): string {
  if (existsSync(path)) return path;
  if (createSource !== true) throw invalid("bind", `bind source path does not exist: ${path}`);
  mkdirSync(path, { recursive: true, mode: 0o755 });
  return path;
}

type VolumeMount = Pick<ContainerMount, "type" | "name" | "source" | "filesystem" | "subpath">;

function openVolume(store: Store, mount: WantedMount, view: FileView | undefined): VolumeMount {
  const { name, ...said } = newVolume({
    ...(mount.source === undefined ? {} : { name: mount.source }),
    ...(mount.volumeDriver === undefined ? {} : { driver: mount.volumeDriver }),
    ...(mount.volumeOptions === undefined ? {} : { driverOptions: mount.volumeOptions }),
    ...(mount.volumeLabels === undefined ? {} : { labels: mount.volumeLabels }),
  });
  const { options } = ensureVolume(store, name, said);
  const volume = {
    type: "volume",
    name,
    source: volumeDirectory(store, name),
    ...(mount.volumeSubpath === undefined ? {} : { subpath: mount.volumeSubpath }),
  } as const;
  if (options !== null) return { ...volume, filesystem: filesystemOf(options, volume.source) };
  if (view !== undefined && mount.volumeSubpath === undefined) copyUp(view, mount.target, volume.source);
  return volume;
}

/** The local driver's options as the runtime mounts them. VOLUME_DRIVER where a bound directory is not there, in Docker's words. */
function filesystemOf(options: Readonly<Record<string, string>>, mountpoint: string): NonNullable<ContainerMount["filesystem"]> {
  const { type = "none", device = "", o = "" } = options;
  const words = o.split(",").filter((word) => word !== "");
  const binds = words.includes("bind") || words.includes("rbind");
  if (binds && !existsSync(device)) {
    const message = `error while mounting volume '${mountpoint}': failed to mount local volume: mount ${device}:${mountpoint}, flags: 0x1000: no such file or directory`;
    throw new SlipwayError("failed_precondition", "VOLUME_DRIVER", printable(message), { device, exitCode: 127 });
  }
  return { type: binds ? "bind" : type, device, options: binds ? [...words, "rprivate"] : words };
}

/** `--volumes-from NAME[:ro|rw]`: the mounts of other containers. CONTAINER_NOT_FOUND, INVALID_VOLUME in Docker's words. */
function mountsFrom(records: ContainerRecords, values: readonly string[]): readonly ContainerMount[] {
  return values.flatMap((value) => {
    const [name = "", mode = "rw"] = value.split(":");
    if (mode !== "rw" && mode !== "ro") throw new SlipwayError("invalid_argument", "INVALID_VOLUME", printable(`invalid mode: ${mode}`));
    return requireContainer(records, name)
      .mounts.filter((mount) => mount.type !== "tmpfs" || mount.asMount === true)
      .map((mount) => (mode === "ro" ? { ...mount, readOnly: true } : mount));
  });
}

/** But for those that another container got by --volumes-from. */
export function removeAnonymousVolumes(store: Store, record: Pick<ContainerRecord, "id" | "mounts">): void {
  const users = volumeUsers(store);
  for (const { name } of record.mounts) {
    if (name === undefined || (users.get(name) ?? []).some((id) => id !== record.id)) continue;
    const volume = readVolume(store, name);
    if (volume !== undefined && isAnonymous(volume)) deleteVolume(store, name);
  }
}
