/** Builders by name, in buildx's words. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createBuilders } from "../../engine/system/builders.ts";
import { TestDirectory } from "../../engine/transports/test-layout.ts";
import { runInMemory, type Outcome } from "../memory-cli.ts";

test("a name that was created is listed, used and forgotten", async () => {
  using directory = new TestDirectory();
  const builders = createBuilders(
    directory.path,
    () => Date.UTC(2026, 0, 2, 3, 4, 5),
    () => 0,
  );
  const system = { version: () => ({ Version: "1.2.3" }), platforms: async () => ["linux/amd64", "linux/arm64"] };
  const run = (line: string): Promise<Outcome> => runInMemory(line.split(" "), { engine: { builders, system } });
  const steps: readonly (readonly [line: string, stdout: string, stderr?: string])[] = [
    ["buildx create --use --name multi --driver docker-container --bootstrap", "multi\n"],
    [
      "buildx create --name multi",
      "",
      'ERROR: existing instance for "multi" but no append mode, specify the node name to make changes for existing instances\n',
    ],
    ["buildx create --name a@b", "", "ERROR: invalid name a@b, name needs to start with a letter and may not contain symbols, except ._-\n"],
    ["buildx create", "brave_argo\n"],
    ["builder use default", ""],
    ["buildx use nope", "", 'ERROR: failed to find instance "nope": no builder "nope" found\n'],
    ["buildx use multi", ""],
    [
      "buildx ls",
      "NAME/NODE         DRIVER/ENDPOINT   STATUS    BUILDKIT   PLATFORMS\n" +
        "brave_argo        slipway                                \n" +
        " \\_ brave_argo0    \\_ local         running   v1.2.3     linux/amd64, linux/arm64\n" +
        "multi*            slipway                                \n" +
        " \\_ multi0         \\_ local         running   v1.2.3     linux/amd64, linux/arm64\n" +
        "default           slipway                                \n" +
        " \\_ default        \\_ local         running   v1.2.3     linux/amd64, linux/arm64\n",
    ],
    [
      "buildx inspect --bootstrap",
      "Name:          multi\nDriver:        slipway\nLast Activity: 2026-01-02 03:04:05 +0000 UTC\n\nNodes:\n" +
        "Name:             multi0\nEndpoint:         local\nStatus:           running\nBuildKit version: v1.2.3\nPlatforms:        linux/amd64, linux/arm64\n",
    ],
    ["buildx inspect nope", "", 'ERROR: no builder "nope" found\n'],
    ["buildx rm multi nope", "multi removed\n", 'failed to remove nope: no builder "nope" found\nERROR: failed to remove one or more builders\n'],
    ["buildx stop nope", "", 'ERROR: no builder "nope" found\n'],
    ["buildx version", "slipway v1.2.3\n"],
  ];
  for (const [line, stdout, stderr = ""] of steps) assert.deepEqual(await run(line), { code: stderr === "" ? 0 : 1, stdout, stderr }, line);
});
