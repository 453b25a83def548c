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
  const nowMs = Date.UTC(2026, 0, 2);
  const record = {
    id: "abc",
    type: "regular",
    description: "",
    sizeBytes: 1_500_000,
    createdMs: 0,
    lastUsedMs: nowMs - 180_000,
    usageCount: 1,
    inUse: false,
    shared: true,
  } as const;
  const nothing = { total: 0, active: 0, sizeBytes: 0, reclaimableBytes: 0 };
  const usage = { images: nothing, containers: nothing, volumes: nothing, cache: nothing, cacheRecords: [record], orphanBytes: 0 };
  const system = {
    diskUsage: async () => usage,
    version: () => ({ Version: "1.2.3" }),
    platforms: async () => ["linux/amd64", "linux/arm64"],
  };
  const run = (line: string): Promise<Outcome> => runInMemory(line.split(" "), { engine: { builders, system }, nowMs, cwd: directory.path });
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
    ["buildx rm multi nope", "", 'multi removed\nfailed to remove nope: no builder "nope" found\nERROR: failed to remove one or more builders\n'],
    ["buildx stop nope", "", 'ERROR: no builder "nope" found\n'],
    ["buildx du --builder nope", "", 'ERROR: no builder "nope" found\n'],
    ["builder prune -f --builder nope", "", 'ERROR: no builder "nope" found\n'],
    ["buildx build --builder nope .", "", 'ERROR: no builder "nope" found\n'],
    [
      "buildx du",
      "ID        RECLAIMABLE   SIZE      LAST ACCESSED\nabc       true          1.5MB*    3 minutes ago\nShared:\t\t1.5MB\nPrivate:\t0B\nReclaimable:\t1.5MB\nTotal:\t\t1.5MB\n",
    ],
    [
      "buildx du --verbose",
      "ID:           abc\nCreated at:   1970-01-01 00:00:00 +0000 UTC\nMutable:      false\nReclaimable:  true\nShared:       true\nSize:         1.5MB\n" +
        "Usage count:  1\nLast used:    3 minutes ago\nType:         regular\n\n" +
        "Shared:\t\t1.5MB\nPrivate:\t0B\nReclaimable:\t1.5MB\nTotal:\t\t1.5MB\n",
    ],
    ["buildx du --filter type=regular --format {{.ID}}:{{.Size}}:{{.Mutable}}", "abc:1.5MB:false\n"],
    [
      "buildx du --format json",
      '{"CreatedAt":"1970-01-01 00:00:00 +0000 UTC","Description":"","ID":"abc","LastUsedAt":"3 minutes ago","Mutable":false,"Parents":[],"Reclaimable":true,"Shared":true,"Size":"1.5MB","Type":"regular","UsageCount":1}\n',
    ],
    ["buildx du --verbose --format json", "", "ERROR: --format and --verbose cannot be used together\n"],
    ["buildx rm --all-inactive multi", "", "ERROR: cannot specify builder name when --all-inactive is set\n"],
    ["buildx create --driver docker", "", 'ERROR: additional instances of driver "docker" cannot be created\n'],
    ["buildx version", "slipway v1.2.3\n"],
  ];
  for (const [line, stdout, stderr = ""] of steps) assert.deepEqual(await run(line), { code: stderr === "" ? 0 : 1, stdout, stderr }, line);
});
