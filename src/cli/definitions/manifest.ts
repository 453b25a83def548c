/** `manifest`: lists of images for several platforms, made from what registries have. */
import type { Command } from "../command.ts";
import { authFileFlag, flag } from "./flag.ts";

const insecureFlag = flag("insecure", "", "bool", "The registry may speak plain http, or have a certificate that nobody knows");

export const manifestCommands: readonly Command[] = [
  {
    name: "create",
    short: "Begin a list of images, here, to be annotated and pushed",
    usage: "MANIFEST_LIST MANIFEST [MANIFEST...]",
    flags: [flag("amend", "a", "bool", "Add to a list that is here already"), authFileFlag, insecureFlag],
    args: { min: 2 },
    paths: ["manifest create"],
    complete: "image",
    examples: [{ text: "Two images under one name", command: "slipway manifest create app:1.0 app:1.0-amd64 app:1.0-arm64" }],
    load: async () => (await import("../commands/manifest.ts")).runManifestCreate,
  },
  {
    name: "annotate",
    short: "Say which platform an image of a list is for",
    usage: "[OPTIONS] MANIFEST_LIST MANIFEST",
    flags: [
      flag("arch", "", "string", "Architecture"),
      flag("os", "", "string", "Operating system"),
      flag("os-features", "", "strings", "Feature of the operating system"),
      flag("os-version", "", "string", "Version of the operating system"),
      flag("variant", "", "string", "Variant of the architecture"),
    ],
    args: { min: 2, max: 2 },
    paths: ["manifest annotate"],
    complete: "image",
    load: async () => (await import("../commands/manifest.ts")).runManifestAnnotate,
  },
  {
    name: "inspect",
    short: "Show the manifest or the list that a name means, without a pull",
    usage: "[OPTIONS] [MANIFEST_LIST] MANIFEST",
    flags: [authFileFlag, insecureFlag, flag("verbose", "v", "bool", "Also the manifests of a list, with platforms and bytes")],
    args: { min: 1, max: 2 },
    paths: ["manifest inspect"],
    complete: "image",
    load: async () => (await import("../commands/manifest.ts")).runManifestInspect,
  },
  {
    name: "push",
    short: "Push a list, and the images that its repository lacks",
    usage: "[OPTIONS] MANIFEST_LIST",
    flags: [authFileFlag, insecureFlag, flag("purge", "p", "bool", "Remove the list from here afterwards")],
    args: { min: 1, max: 1 },
    paths: ["manifest push"],
    complete: "image",
    load: async () => (await import("../commands/manifest.ts")).runManifestPush,
  },
  {
    name: "rm",
    short: "Remove lists that are here",
    usage: "MANIFEST_LIST [MANIFEST_LIST...]",
    flags: [],
    args: { min: 1 },
    paths: ["manifest rm"],
    complete: "image",
    load: async () => (await import("../commands/manifest.ts")).runManifestRm,
  },
];
