import assert from "node:assert/strict";
import { test } from "node:test";
import { isSlipwayError } from "../base/errors.ts";
import { allCapabilities, capabilitiesOfMask, chooseCapabilities, defaultCapabilities } from "./capabilities.ts";

test("the default set has the mask that Docker's containers show", () => {
  assert.deepEqual([...defaultCapabilities].sort(), [...capabilitiesOfMask("00000000a80425fb")].sort());
});

test("capabilities are added and dropped by short names in any case", () => {
  const chosen = chooseCapabilities({ add: ["net_admin", "CAP_SYS_TIME"], drop: ["Mknod"] });
  assert.ok(chosen.includes("CAP_NET_ADMIN") && chosen.includes("CAP_SYS_TIME") && !chosen.includes("CAP_MKNOD"));
});

test("ALL means everything, or nothing but what is added", () => {
  assert.deepEqual(chooseCapabilities({ add: ["ALL"] }), [...allCapabilities]);
  assert.deepEqual(chooseCapabilities({ drop: ["all"], add: ["CHOWN"] }), ["CAP_CHOWN"]);
});

test("a process cannot hand on what it lacks", () => {
  assert.deepEqual(chooseCapabilities({ privileged: true, available: ["CAP_CHOWN", "CAP_KILL"] }), ["CAP_CHOWN", "CAP_KILL"]);
});

test("an unknown name is refused", () => {
  assert.throws(
    () => chooseCapabilities({ add: ["FLY"] }),
    (error: unknown) => isSlipwayError(error, "INVALID_CAPABILITY") && error.message === 'invalid CapAdd: unknown capability: "CAP_FLY"',
  );
});
