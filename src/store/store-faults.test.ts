/** Stores on disks that are full, read-only or foreign. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { DatabaseSync } from "node:sqlite";
import { isSlipwayError } from "../base/errors.ts";
import { defaultRoot } from "./layout.ts";
import { Store } from "./store.ts";
import { spawnWithStore } from "./test-store.ts";

const scratch = mkdtempSync(join(tmpdir(), "slipway-faults-"));
after(() => rmSync(scratch, { recursive: true, force: true }));
const skip = process.geteuid?.() === 0 ? {} : { skip: "needs root: mounts" };

/** Runs in a process with mounts of its own; the answer is the error's code. */
async function codeOf(name: string, mountAndTry: string): Promise<string> {
  const root = join(scratch, name);
  mkdirSync(root);
  const body = `
    import { mkdirSync, readdirSync } from "node:fs";
    import { enterPrivateMountNamespace, mountTmpfs, bindMount } from ${JSON.stringify(new URL("overlay.ts", import.meta.url).href)};
    import { mount, mountFlag } from ${JSON.stringify(new URL("syscalls.ts", import.meta.url).href)};
    const disk = ${JSON.stringify(join(scratch, `${name}-disk`))};
    mkdirSync(disk);
    enterPrivateMountNamespace();
    const attempt = (body) => { try { body(); return "nothing"; } catch (error) { return error.code + " " + (error.details?.remedy === undefined ? "no" : "a") + " remedy"; } };
    ${mountAndTry}
    process.exit(0);`;
  const { firstLine } = spawnWithStore(root, body);
  return await firstLine;
}

describe("a store", () => {
  test("on a full disk says so, keeps nothing of what was half-written, and goes on", skip, async () => {
    const tried = `
      mountTmpfs({ target: disk, sizeBytes: 1 << 20 });
      const small = Store.open(disk);
      const big = () => { using ingest = small.blobs.ingest(); for (let i = 0; i < 64; i++) ingest.write(Buffer.alloc(65536, i)); ingest.commit(); };
      const first = attempt(big);
      small.blobs.put("still works");
      console.log(first + ", " + readdirSync(disk + "/blobs/sha256").length + " blob, left: " + readdirSync(small.lease().directory));`;
    assert.equal(await codeOf("full", tried), "STORE_NO_SPACE a remedy, 1 blob, left: lock");
  });

  test("on a read-only disk says so", skip, async () => {
    const tried = `
      mountTmpfs({ target: disk });
      Store.open(disk).close();
      mount(null, disk, null, mountFlag.remount | mountFlag.readonly, null);
      console.log(attempt(() => { const store = Store.open(disk); store.blobs.put("x"); }));`;
    assert.equal(await codeOf("read-only", tried), "STORE_READ_ONLY a remedy");
  });

  test("of a newer program is left alone", () => {
    const root = join(scratch, "newer");
    Store.open(root).close();
    const db = new DatabaseSync(join(root, "slipway.db"));
    db.exec("PRAGMA user_version = 99");
    db.close();
    assert.throws(
      () => Store.open(root),
      (error) => isSlipwayError(error, "STORE_TOO_NEW") && error.kind === "failed_precondition",
    );
  });

  test("below a file cannot be", () => {
    const file = join(scratch, "file");
    writeFileSync(file, "");
    assert.throws(
      () => Store.open(join(file, "store")),
      (error) => isSlipwayError(error, "STORE_DENIED"),
    );
  });

  for (const [name, damage] of [
    ["is garbage", (path: string) => writeFileSync(path, "not a database, though it is long enough to be looked at as one".repeat(50))],
    ["is cut short", (path: string) => truncateSync(path, 20_000)],
  ] as const) {
    test(`whose database ${name} says what to do`, () => {
      const root = join(scratch, name);
      Store.open(root).close();
      damage(join(root, "slipway.db"));
      assert.throws(
        () => Store.open(root).images.all(),
        (error) => isSlipwayError(error, "STORE_CORRUPT") && error.message.includes(root) && error.details["remedy"] !== undefined,
      );
    });
  }
});

test("the default place", () => {
  const rows: readonly (readonly [Record<string, string>, number, string])[] = [
    [{ SLIPWAY_ROOT: "/x" }, 0, "/x"],
    [{}, 0, "/var/lib/slipway"],
    [{ HOME: "/root", SLIPWAY_USERNS: "1" }, 0, "/root/.local/share/slipway"],
    [{ HOME: "/home/u" }, 1000, "/home/u/.local/share/slipway"],
    [{ HOME: "/home/u", XDG_DATA_HOME: "/data" }, 1000, "/data/slipway"],
    [{ HOME: "/home/u", SLIPWAY_ROOT: "" }, 1000, "/home/u/.local/share/slipway"],
    [{}, 1000, join(homedir(), ".local/share/slipway")],
    [{ HOME: "" }, 1000, join(homedir(), ".local/share/slipway")],
  ];
  assert.deepEqual(
    rows.map(([env, euid]) => defaultRoot(env, euid)),
    rows.map(([, , want]) => want),
  );
});
