import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, describe, test } from "node:test";
import { isSlipwayError } from "../base/errors.ts";
import { whyNoContainers } from "../runtime/test-machine.ts";
import { trimSteps } from "./keep-step.ts";
import { keptSteps, outcomeOf } from "./step-record.ts";
import { createTestBuilder } from "./test-build.ts";

const builder = createTestBuilder();
after(() => builder[Symbol.dispose]());
const { build, store } = builder;
const steps = keptSteps(store);

describe("a step's state", { skip: whyNoContainers() ?? false }, () => {
  test("is kept when it fails, with the layers below it, until it is trimmed", async () => {
    for (const code of [1, 2, 3]) await assert.rejects(build(`FROM busybox\nRUN echo ${code} >/f; exit ${code}\n`, { keepFailed: 5 }));
    assert.deepEqual(
      steps.all().map(({ record, life }) => [record.exitCode, record.outcome, life]),
      [
        [3, "failed", "ended"],
        [2, "failed", "ended"],
        [1, "failed", "ended"],
      ],
    );
    const [newest, ...older] = steps.all();
    assert.ok(newest !== undefined);
    assert.ok(trimSteps(store, 1));
    assert.deepEqual([existsSync(newest.directory), ...older.map(({ directory }) => existsSync(directory))], [true, false, false]);
    store.collect();
    assert.ok(store.layers.hasAll(steps.chain(newest.id)));
    assert.ok(!trimSteps(store, 1));
  });

  test("is named by the error", async () => {
    await assert.rejects(build("FROM busybox\nRUN exit 4\n", { keepFailed: 1 }), (error) => {
      assert.ok(isSlipwayError(error, "PROCESS_FAILED"));
      assert.equal(steps.get(String(error.details["failedStep"]).slice(0, 12))?.record.exitCode, 4);
      return true;
    });
  });

  test("is forgotten when it succeeds, and where nothing is to be kept", async () => {
    trimSteps(store, 0);
    await build("FROM busybox\nRUN echo fine >/f\n", { keepFailed: 5 });
    await assert.rejects(build("FROM busybox\nRUN exit 5\n", { keepFailed: 0 }), (error) => isSlipwayError(error) && error.details["failedStep"] === undefined);
    assert.deepEqual(steps.all(), []);
  });

  test("is that of an interrupted step where the caller ended the build", async () => {
    const abort = new AbortController();
    const onOutput = (text: string): void => {
      if (text.includes("go")) abort.abort(new Error("enough"));
    };
    await assert.rejects(build("FROM busybox\nRUN echo go; sleep 60\n", { signal: abort.signal, onOutput, keepFailed: 5 }));
    assert.deepEqual(steps.all().map(outcomeOf), ["interrupted"]);
  });
});
