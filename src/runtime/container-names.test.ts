import assert from "node:assert/strict";
import { test } from "node:test";
import { isSlipwayError } from "../base/errors.ts";
import { checkContainerName, randomName } from "./container-names.ts";

test("random names are names, and get a number when others were taken", () => {
  assert.equal(
    randomName(() => 0, 0),
    "agile_anchor",
  );
  assert.equal(checkContainerName(randomName(() => 0.999, 1)), "witty_yawl");
  assert.match(
    randomName(() => 0.5, 5),
    /^[a-z]+_[a-z]+5000$/,
  );
});

for (const name of ["a", "", "-x", "a b", "a/b"]) {
  test(`the name ${JSON.stringify(name)} is refused`, () => {
    assert.throws(
      () => checkContainerName(name),
      (error: unknown) => isSlipwayError(error, "INVALID_CONTAINER_NAME"),
    );
  });
}
