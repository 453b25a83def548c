import assert from "node:assert/strict";
import { test } from "node:test";
import { isSlipwayError } from "../../base/errors.ts";
import { tarOf } from "../../store/test-store.ts";
import { baseLayer, chunksOf, middleLayer, topLayer } from "../transports/test-layout.ts";
import { layeredFiles } from "./layered-files.ts";
import { listFiles } from "./list-files.ts";
import { readFile } from "./read-file.ts";

test("layers are read from the top down, no further than the answer needs", async () => {
  const opened: number[] = [];
  const layers = [baseLayer, middleLayer, topLayer].map((members, at) => () => {
    opened.push(at);
    return chunksOf(tarOf(members));
  });
  const files = layeredFiles(layers);
  assert.deepEqual(Buffer.concat(await Array.fromAsync(readFile(files, "x", "/bin/tool"))).toString(), "tool two!");
  assert.deepEqual(opened, [2, 2]);
  assert.deepEqual(
    (await listFiles(files, "x", "/old", false)).map(({ path }) => path),
    ["/old/b"],
  );
  assert.deepEqual(opened, [2, 2, 1]);
  await assert.rejects(listFiles(files, "x", "/etc/gone", false), (error) => isSlipwayError(error, "FILE_NOT_FOUND"));
});
