/** The one table of commands. */
import type { CommandTable } from "../command.ts";
import { buildCommands } from "./build.ts";
import { buildxCommands } from "./buildx.ts";
import { containerCommands } from "./containers.ts";
import { debugCommands } from "./debug.ts";
import { flag, policyFlags } from "./flag.ts";
import { imageCommands } from "./images.ts";
import { layersCommands } from "./layers.ts";
import { manifestCommands } from "./manifest.ts";
import { networkCommands } from "./networks.ts";
import { packageCommands } from "./packages.ts";
import { policyCommands } from "./policy.ts";
import { registryCommands } from "./registry.ts";
import { systemCommands } from "./system.ts";
import { transferCommands } from "./transfer.ts";
import { trustCommands } from "./trust.ts";
import { volumeCommands } from "./volumes.ts";

export const commandTable: CommandTable = {
  commands: [
    ...buildCommands,
    ...debugCommands,
    ...layersCommands,
    ...containerCommands,
    ...imageCommands,
    ...systemCommands,
    ...transferCommands,
    ...manifestCommands,
    ...buildxCommands,
    ...registryCommands,
    ...packageCommands,
    ...trustCommands,
    ...policyCommands,
    ...volumeCommands,
    ...networkCommands,
  ],
  groups: [
    { name: "builder", short: "Build images and keep their cache", paths: ["builder", "buildx"] },
    { name: "container", short: "Everything about containers", paths: ["container"] },
    { name: "context", short: "Which machine's images: this one's", paths: ["context"] },
    { name: "db", short: "Advisories that scans compare with", paths: ["db"] },
    { name: "image", short: "Everything about images", paths: ["image"] },
    { name: "imagetools", short: "Documents of registries", paths: ["buildx imagetools", "builder imagetools"] },
    { name: "key", short: "Keys to sign images with", paths: ["key"] },
    { name: "manifest", short: "Lists of images for several platforms", paths: ["manifest"] },
    { name: "network", short: "Networks in which containers find each other", paths: ["network"] },
    { name: "policy", short: "Which images may be used here", paths: ["policy"] },
    { name: "registry", short: "A registry of your own", paths: ["registry"] },
    { name: "system", short: "The store and the machine", paths: ["system"] },
    { name: "volume", short: "Directories that outlive containers", paths: ["volume"] },
  ],
  globals: [
    flag("debug", "D", "bool", "Print details of failures: stack and cause"),
    flag("log-level", "l", "string", 'How much to say ("debug", "info", "warn", "error", "fatal")', {
      default: '"info"',
      complete: ["debug", "info", "warn", "error", "fatal"],
    }),
    ...policyFlags,
    flag("root", "", "string", "Directory of the store", { complete: "directory" }),
    flag("version", "v", "bool", "Print the version and quit"),
    flag("config", "", "string", "Accepted for scripts", { hidden: true }),
    flag("context", "c", "string", "Accepted for scripts; there is no daemon", { hidden: true }),
    flag("host", "H", "string", "Accepted for scripts; there is no daemon", { hidden: true }),
    flag("tls", "", "bool", "Accepted for scripts; there is no daemon", { hidden: true }),
  ],
};
