/** Commands about volumes. */
import type { Command } from "../command.ts";
import { flag, forceFlag, formatFlag, listFormatFlag } from "./flag.ts";

export const volumeCommands: readonly Command[] = [
  {
    name: "create",
    short: "Make a volume",
    usage: "[OPTIONS] [VOLUME]",
    flags: [
      flag("driver", "d", "string", "Driver of the volume", { default: '"local"', complete: ["local"] }),
      flag("label", "", "list", "Label of the volume"),
      flag("opt", "o", "map", "Options of the driver (type, device, o)", { default: "map[]" }),
    ],
    args: { min: 0, max: 1 },
    paths: ["volume create"],
    examples: [
      { text: "A volume for a database's files", command: "slipway volume create --label app=shop shop-data" },
      { text: "A directory of the host as a volume", command: "slipway volume create -o type=none -o o=bind -o device=/srv/data data" },
    ],
    load: async () => (await import("../commands/volume.ts")).runVolumeCreate,
  },
  {
    name: "inspect",
    short: "Show everything about volumes",
    usage: "[OPTIONS] VOLUME [VOLUME...]",
    flags: [formatFlag],
    args: { min: 1 },
    paths: ["volume inspect"],
    complete: "volume",
    load: async () => (await import("../commands/inspect.ts")).runVolumeInspect,
  },
  {
    name: "ls",
    short: "List volumes",
    usage: "[OPTIONS]",
    flags: [
      flag("filter", "f", "filter", 'Which volumes (e.g. "dangling=true", "label=key", "name=data")'),
      listFormatFlag,
      flag("quiet", "q", "bool", "Write names only"),
    ],
    args: { min: 0, max: 0 },
    paths: ["volume ls", "volume list"],
    load: async () => (await import("../commands/volume.ts")).runVolumeLs,
  },
  {
    name: "prune",
    short: "Remove volumes that no container uses",
    usage: "[OPTIONS]",
    flags: [flag("all", "a", "bool", "Also volumes with a name"), flag("filter", "", "filter", 'Which volumes (e.g. "label=key=value")'), forceFlag],
    args: { min: 0, max: 0 },
    paths: ["volume prune"],
    load: async () => (await import("../commands/volume.ts")).runVolumePrune,
  },
  {
    name: "rm",
    short: "Remove volumes; one that a container has is refused",
    usage: "[OPTIONS] VOLUME [VOLUME...]",
    flags: [flag("force", "f", "bool", "A missing one is no failure")],
    args: { min: 1 },
    paths: ["volume rm", "volume remove"],
    complete: "volume",
    load: async () => (await import("../commands/volume.ts")).runVolumeRm,
  },
];
