import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { isSlipwayError } from "../../base/errors.ts";
import { createIgnoreMatcher } from "../../dockerfile/ignore.ts";
import { ContextView } from "./context-view.ts";

const root = mkdtempSync(join(tmpdir(), "slipway-context-view-"));
after(() => rmSync(root, { recursive: true }));
writeFileSync(Buffer.concat([Buffer.from(`${root}/bad`), Buffer.from([0xff])]), "");
// a process that ends without closing its socket leaves it
spawnSync(process.execPath, ["-e", "require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 9))", join(root, "socket")]);

test("a name that is not UTF-8 is refused when it is looked at, unless it is ignored", () => {
  const ignores = [undefined, createIgnoreMatcher(["other"])] as const;
  for (const ignore of ignores) {
    const view = new ContextView(root, ignore);
    const [name = ""] = view.list("");
    assert.throws(
      () => view.lookup(name),
      (error) => isSlipwayError(error, "INVALID_FILE_NAME"),
    );
  }
  const view = new ContextView(root, createIgnoreMatcher(["bad*"]));
  assert.deepEqual(
    view.list("").map((name) => view.lookup(name)?.type),
    [undefined, "file"],
  );
});

test("a socket is an empty file", () => {
  const view = new ContextView(root, createIgnoreMatcher(["bad*"]));
  assert.deepEqual([view.list("").includes("socket"), view.lookup("socket")?.type, view.lookup("socket")?.size], [true, "file", 0]);
});
