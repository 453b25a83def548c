/** Commands about images elsewhere: looking into them without a pull. */
import type { Command } from "../command.ts";
import { flag, platformFlag } from "./flag.ts";

const places =
  "IMAGE is a name: the store's image, else the registry's. Other places are docker://NAME (the registry, whatever the store has), oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME], docker-daemon:NAME and store:NAME. Of a remote image only the layers are read that the answer needs, from the topmost down.";

export const transferCommands: readonly Command[] = [
  {
    name: "tags",
    short: "List the tags of a repository in its registry",
    usage: "[OPTIONS] NAME",
    flags: [
      flag("filter", "", "stringArray", 'Only tags that match a pattern (e.g. "1.*-alpine")'),
      flag("format", "", "string", 'How to write the output ("json")', { complete: ["json"] }),
      flag("limit", "", "int", "At most so many"),
    ],
    args: { min: 1, max: 1 },
    paths: ["tags", "image tags"],
    group: "plain",
    complete: "image",
    examples: [{ text: "The newest of node's alpine tags", command: "slipway tags node --filter '24*-alpine*' --limit 10" }],
    load: async () => (await import("../commands/tags.ts")).runTags,
  },
  {
    name: "ls",
    short: "List the files of an image, wherever it lies",
    long: `Lists what is in a directory of an image that need not be here.\n\n${places}`,
    usage: "[OPTIONS] IMAGE[:/PATH]",
    flags: [
      flag("format", "", "string", 'How to write the output ("json")', { complete: ["json"] }),
      flag("long", "l", "bool", "Mode, owner, size and time of each"),
      platformFlag,
      flag("recursive", "R", "bool", "All below the directory"),
    ],
    args: { min: 1, max: 1 },
    paths: ["ls"],
    group: "plain",
    complete: "image",
    examples: [
      { text: "What an image has in a directory, without a pull", command: "slipway ls -l alpine:3.20:/etc/apk" },
      { text: "All files of an archive's image, as JSON lines", command: "slipway ls -R --format json docker-archive:app.tar:/" },
    ],
    load: async () => (await import("../commands/ls.ts")).runLs,
  },
  {
    name: "cat",
    short: "Print files of images, wherever they lie",
    long: `Prints files of images that need not be here.\n\n${places}`,
    usage: "[OPTIONS] IMAGE:/PATH [IMAGE:/PATH...]",
    flags: [platformFlag],
    args: { min: 1 },
    paths: ["cat"],
    group: "plain",
    complete: "image",
    examples: [{ text: "Which distribution is it?", command: "slipway cat node:24-slim:/etc/os-release" }],
    load: async () => (await import("../commands/cat.ts")).runCat,
  },
  {
    name: "cp",
    short: "Copy files out of an image, wherever it lies",
    long: `Copies a file or directory of an image into a directory of this machine, by the rules of Docker's cp; "-" writes a tar archive to standard output.\n\n${places}`,
    usage: "[OPTIONS] IMAGE:/SRC_PATH DEST_PATH|-",
    flags: [
      flag("archive", "a", "bool", "Keep the owners that files have in the image"),
      flag("follow-link", "L", "bool", "Of a link that is named, what it leads to"),
      platformFlag,
      flag("quiet", "q", "bool", "Do not say what was copied"),
    ],
    args: { min: 2, max: 2 },
    paths: ["cp"],
    group: "plain",
    complete: "image",
    examples: [
      { text: "A program of an image, without running it", command: "slipway cp hashicorp/terraform:1.9:/bin/terraform ." },
      { text: "A whole root file system", command: "slipway cp alpine:/ - | tar -x -C rootfs" },
    ],
    load: async () => (await import("../commands/cp.ts")).runCp,
  },
  {
    name: "copy",
    short: "Copy images between registries, archives, directories and daemons",
    long: `Copies an image, or an index with all its images, as it is: digests stay, media types stay, and only what the target lacks is sent.\n\nPlaces are docker://NAME (the registry), oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME], docker-daemon:NAME and store:NAME. A name alone is as a source the store's image, else the registry's; as a target the registry's.`,
    usage: "[OPTIONS] SOURCE TARGET",
    flags: [
      flag("all", "a", "bool", "All platforms of an index, also where the target gets this machine's otherwise"),
      flag("platform", "", "string", 'One platform of an index, as "os[/arch[/variant]]"'),
      flag("quiet", "q", "bool", "Print the digest only"),
      flag("referrers", "", "bool", "From registry to registry also what refers to the images: signatures, SBOMs, cosign's tags"),
      flag("signatures", "", "bool", "The same as --referrers", { hidden: true }),
    ],
    args: { min: 2, max: 2 },
    paths: ["copy"],
    group: "plain",
    complete: "image",
    examples: [
      { text: "An image of a registry with all its platforms, as files", command: "slipway copy docker://alpine:3.20 oci:mirror:alpine-3.20" },
      { text: "One platform into Docker", command: "slipway copy --platform linux/arm64 app:1.0 docker-daemon:app:1.0" },
    ],
    load: async () => (await import("../commands/copy.ts")).runCopy,
  },
  {
    name: "diff",
    short: "Show which files differ between two images",
    long: `Shows what the second image has that the first has not: A added, C changed, D removed. Of a single image, what its topmost layer did.\n\n${places}`,
    usage: "[OPTIONS] IMAGE [IMAGE]",
    flags: [
      flag("format", "", "string", 'How to write the output ("json")', { complete: ["json"] }),
      platformFlag,
      flag("stat", "", "bool", "With sizes, and a line that sums up"),
    ],
    args: { min: 1, max: 2 },
    paths: ["diff"],
    group: "plain",
    complete: "image",
    examples: [{ text: "What a new base brings", command: "slipway diff --stat debian:bookworm debian:bookworm-slim" }],
    load: async () => (await import("../commands/diff.ts")).runDiff,
  },
];
