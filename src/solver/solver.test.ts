import assert from "node:assert/strict";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { isSlipwayError } from "../base/errors.ts";
import { createTestBuilder } from "./test-build.ts";

const builder = createTestBuilder();
after(() => builder[Symbol.dispose]());
const { build, context } = builder;
const write = (name: string, text: string): void => writeFileSync(join(context, name), text);

describe("steps without commands", () => {
  test("run once; the next build finds all of them", async () => {
    write("a", "one");
    const dockerfile = "FROM scratch\nWORKDIR /w\nCOPY a .\nCOPY <<E /h\ntext\nE\n";
    const first = await build(dockerfile);
    assert.deepEqual(first.ran, { "WORKDIR /w": "never built", "COPY a .": "never built", "COPY <<E /h": "never built" });
    assert.equal(readFileSync(first.files.lookup("w/a")?.diskPath ?? "", "utf8"), "one");
    const second = await build(dockerfile);
    assert.deepEqual([second.ran, second.chain, second.usedKeys.length], [{}, first.chain, 3]);
  });

  test("a changed file runs its step and those behind it, each with its reason", async () => {
    const dockerfile = "FROM scratch\nCOPY a /1\nCOPY b /2\nCOPY a /3\n";
    write("a", "x");
    write("b", "x");
    await build(dockerfile);
    write("b", "yy");
    assert.deepEqual((await build(dockerfile)).ran, { "COPY b /2": "file b changed", "COPY a /3": "an earlier step changed" });
  });

  test("the same contents give the same layer, also under another name or time", async () => {
    write("a", "same");
    const first = await build("FROM scratch\nCOPY a /x\n");
    renameSync(join(context, "a"), join(context, "c"));
    assert.deepEqual((await build("FROM scratch\nCOPY c /x\n")).chain, first.chain);
  });

  test("--no-cache runs everything", async () => {
    write("a", "n");
    await build("FROM scratch\nCOPY a /x\n");
    assert.deepEqual((await build("FROM scratch\nCOPY a /x\n", { noCache: true })).ran, { "COPY a /x": "the cache was not to be used (--no-cache)" });
  });

  test("a stage that two others use is made once", async () => {
    write("a", "shared stage");
    const { ran } = await build(
      "FROM scratch AS s\nCOPY a /s\nFROM scratch AS l\nCOPY --from=s /s /l\nFROM scratch\nCOPY --from=s /s /r\nCOPY --from=l /l /m\n",
    );
    assert.deepEqual(Object.keys(ran).sort(), ["COPY --from=l /l /m", "COPY --from=s /s /l", "COPY --from=s /s /r", "COPY a /s"]);
  });

  test("--link does not depend on what is below", async () => {
    write("a", "linked");
    const first = await build("FROM scratch\nWORKDIR /one\nCOPY --link a /l\n");
    const second = await build("FROM scratch\nWORKDIR /two\nCOPY --link a /l\n");
    assert.deepEqual(Object.keys(second.ran), ["WORKDIR /two"]);
    assert.equal(second.chain.at(-1), first.chain.at(-1));
  });

  test("two builds of the same at once do the work once", async () => {
    write("a", "at once");
    const [first, second] = await Promise.all([build("FROM scratch\nCOPY a /once\n"), build("FROM scratch\nCOPY a /once\n")]);
    assert.deepEqual(first.chain, second.chain);
    assert.equal(Object.keys(first.ran).length + Object.keys(second.ran).length, 1);
  });
});

describe("failures", () => {
  test("name the step and its lines; what was finished stays", async () => {
    write("a", "kept after failure");
    await assert.rejects(build("FROM scratch\nCOPY a /kept\nCOPY a /kept/x\n"), (error) => {
      assert.ok(isSlipwayError(error, "NOT_A_DIRECTORY"));
      assert.deepEqual([error.details["vertex"], error.details["lines"]], ["[2/2] COPY a /kept/x", { start: 3, end: 3 }]);
      return true;
    });
    assert.deepEqual((await build("FROM scratch\nCOPY a /kept\n")).ran, {});
  });

  test("a source that the context lacks is told before any step is done; of several the last", async () => {
    write("a", "not copied");
    await assert.rejects(build("FROM scratch\nCOPY a /early\nCOPY none /x\nCOPY none2 /x\nCOPY a /y\n"), (error) => {
      assert.ok(isSlipwayError(error, "SOURCE_NOT_FOUND"));
      assert.deepEqual([error.details["vertex"], error.details["lines"]], ["[3/4] COPY none2 /x", { start: 4, end: 4 }]);
      return true;
    });
    assert.deepEqual(Object.keys((await build("FROM scratch\nCOPY a /early\n")).ran), ["COPY a /early"]);
  });

  test("entitlements that were not granted", async () => {
    await assert.rejects(build("FROM busybox\nRUN --network=host true\n"), { message: "failed to load LLB: network.host is not allowed" });
    await assert.rejects(build("# syntax=docker/dockerfile:1\nFROM busybox\nRUN --security=insecure true\n"), {
      message: "failed to load LLB: security.insecure is not allowed",
    });
  });

  test("an owner by name where nothing could know it", async () => {
    write("a", "o");
    for (const from of ["FROM scratch\nCOPY", "FROM busybox\nCOPY --link"]) {
      await assert.rejects(build(`${from} --chown=ghost a /o\n`), (error) => isSlipwayError(error, "INVALID_OWNER"));
    }
  });
});

test("owners by name come from the base's own tables", async () => {
  write("a", "owned");
  const { files } = await build(
    "FROM busybox\nCOPY --chown=web a /1\nCOPY --chown=web:extra a /2\nCOPY --chown=7 a /3\nCOPY --chown=7:extra a /4\nUSER web\nWORKDIR /5\n",
  );
  assert.deepEqual(
    ["1", "2", "3", "4", "5"].map((path) => `${files.lookup(path)?.uid}:${files.lookup(path)?.gid}`),
    ["1000:1001", "1000:500", "7:7", "7:500", "1000:1001"],
  );
  const unknown = ["ghost", "ghost:extra", "ghost:77", "web:none", "7:none", ":extra", "7:", "ghost:"];
  const lines = unknown.map((owner, index) => `COPY --chown=${owner} a /${index}\n`).join("");
  const { files: others } = await build(`FROM busybox\n${lines}`);
  assert.deepEqual(
    unknown.map((_, index) => `${others.lookup(String(index))?.uid}:${others.lookup(String(index))?.gid}`),
    ["0:0", "0:500", "0:77", "1000:1001", "7:7", "0:500", "7:0", "0:0"],
  );
});
