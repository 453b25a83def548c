/** Commands about what is in images. */
import type { Command } from "../command.ts";
import { flag, platformFlag } from "./flag.ts";

const places =
  "IMAGE is a name: the store's image, else the registry's. Other places are docker://NAME (the registry, whatever the store has), oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME], docker-daemon:NAME and store:NAME.";

export const packageCommands: readonly Command[] = [
  {
    name: "sbom",
    short: "List the packages in an image, as a table or as an SBOM",
    long: `Lists the packages in an image, each with the layer, and where this store built the image with the line of the Dockerfile, that brought it. What is found in a layer is kept, so a second look at it costs nothing.\n\n${places}`,
    usage: "[OPTIONS] IMAGE",
    flags: [
      flag("format", "", "string", 'How to write the output ("table", "spdx-json", "cyclonedx-json")', {
        default: '"table"',
        complete: ["table", "spdx-json", "cyclonedx-json"],
      }),
      flag("output", "o", "string", "Write to a file instead of standard output", { complete: "file" }),
      platformFlag,
      flag("quiet", "q", "bool", "Say nothing about files that were not read"),
    ],
    args: { min: 1, max: 1 },
    paths: ["sbom"],
    group: "plain",
    complete: "image",
    examples: [
      { text: "What is in an image, and which line brought it", command: "slipway sbom app:1.0" },
      { text: "An SBOM for others' tools", command: "slipway sbom --format spdx-json -o app.spdx.json app:1.0" },
      { text: "Of an image that is not here, for another platform", command: "slipway sbom --platform linux/arm64 docker://alpine:3.20" },
    ],
    load: async () => (await import("../commands/sbom.ts")).runSbom,
  },
];
