/** What an image's layers are made of. */
import type { Command } from "../command.ts";
import { flag, platformFlag } from "./flag.ts";

export const layersCommands: readonly Command[] = [
  {
    name: "layers",
    short: "Show what each layer of an image adds, changes and removes, and what is wasted",
    long: `Shows what each layer of an image does: its size, the files that it adds, changes and removes, and the bytes of it that later layers replace or remove: they are in the image and no container sees them. On a terminal a browser opens that shows the files of each layer; elsewhere, and with --format, tables.\n\nIMAGE may lie anywhere, as for ls: the store, a registry, an archive, a layout. See docs/layers.md.`,
    usage: "[OPTIONS] IMAGE",
    flags: [
      flag("files", "", "bool", "Also list the files of each layer"),
      flag("filter", "", "stringArray", 'Which files ("kind=added|changed|removed", "path=/usr/**", "layer=3", "size=1MB": at least)'),
      flag("format", "", "string", 'How to write the output ("table", "json")', { complete: ["table", "json"] }),
      flag("lowest-efficiency", "", "string", "Exit with 1 when less than this part of the bytes is seen (0 to 1)"),
      flag("highest-wasted", "", "bytes", "Exit with 1 when more bytes than this are wasted"),
      flag("limit", "", "int", "At most so many wasted files; 0: all", { default: "10" }),
      platformFlag,
    ],
    args: { min: 1, max: 1 },
    paths: ["layers", "image layers"],
    group: "plain",
    complete: "image",
    examples: [
      { text: "What makes an image large", command: "slipway layers myapp" },
      {
        text: "Of an image in a registry, the files of its third layer that are larger than a megabyte",
        command: "slipway layers --files --filter layer=3 --filter size=1MB node:24-slim",
      },
      { text: "A check in CI", command: "slipway layers --format table --lowest-efficiency 0.95 --highest-wasted 20MB myapp" },
    ],
    load: async () => (await import("../commands/layers.ts")).runLayers,
  },
];
