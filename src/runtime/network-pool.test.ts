import assert from "node:assert/strict";
import { test } from "node:test";
import { SlipwayError } from "../base/errors.ts";
import type { Network } from "./network.ts";
import { createNetworkPool } from "./network-pool.ts";

function counting(): { readonly create: (directory: string) => Promise<Network>; readonly made: string[]; readonly closed: string[] } {
  const made: string[] = [];
  const closed: string[] = [];
  const create = (directory: string): Promise<Network> => {
    made.push(directory);
    return Promise.resolve({ netnsPath: directory, ports: [], pastaPid: 0, close: async () => void closed.push(directory) });
  };
  return { create, made, closed };
}

test("one network a step at a time, used again, all closed", async () => {
  const { create, made, closed } = counting();
  const pool = createNetworkPool({ directory: "/d", onWarning: assert.fail, create });
  pool.warm();
  pool.warm();
  assert.deepEqual(made, ["/d/net0"]);
  const first = await pool.acquire();
  const second = await pool.acquire();
  assert.deepEqual(
    [first.network, second.network],
    [
      { kind: "netns", path: "/d/net0" },
      { kind: "netns", path: "/d/net1" },
    ],
  );
  first.release();
  first.release();
  assert.deepEqual((await pool.acquire()).network, first.network);
  assert.equal(made.length, 2);
  await pool.close();
  assert.deepEqual(closed, ["/d/net0", "/d/net1"]);
});

test("without pasta steps use the host's network, and that is said once", async () => {
  const warnings: string[] = [];
  const create = (): Promise<Network> => Promise.reject(new SlipwayError("failed_precondition", "PROGRAM_MISSING", "pasta is missing"));
  const pool = createNetworkPool({ directory: "/d", onWarning: (text) => warnings.push(text), create });
  pool.warm();
  assert.deepEqual([(await pool.acquire()).network, (await pool.acquire()).network], [{ kind: "host" }, { kind: "host" }]);
  assert.deepEqual(warnings, ["build steps use the host's network, because no network of their own could be made: pasta is missing"]);
  await pool.close();
});
