import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { defaultInterface } from "./host-address.ts";
import { probeMachine } from "./probe.ts";
import { findProgram } from "./programs.ts";
import { temporaryDirectory } from "./test-machine.ts";

test("every part is found with its path, or missing with the command that installs it", async () => {
  using directory = temporaryDirectory();
  const cacheFile = join(directory.path, "cache/probe.json");
  const machine = await probeMachine({ storeDirectory: join(directory.path, "store"), cacheFile });
  for (const program of Object.values(machine.programs)) {
    if (program.found) assert.equal(program.path, findProgram(program.name));
    else assert.match(program.install, /^apt-get install -y \w+/);
  }
  const known = Object.values(machine.programs).filter(({ found }) => found).length;
  assert.equal(Object.keys(known === 0 ? {} : (JSON.parse(readFileSync(cacheFile, "utf8")) as object)).length, known);
  assert.deepEqual(await probeMachine({ storeDirectory: join(directory.path, "store"), cacheFile }), machine);
});

test("the way out is read from the kernel's words", () => {
  const routes =
    "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\nwlan0\t00000000\t010011AC\t3\t0\t0\t600\t00000000\neth0\t00000000\t010011AC\t3\t0\t0\t100\t00000000\n";
  assert.equal(defaultInterface(routes), "eth0");
  assert.equal(defaultInterface("Iface\n"), undefined);
});
