import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileSink } from "../transports/archive-sinks.ts";
import { writeStream } from "./write-stream.ts";

const folder = mkdtempSync(join(tmpdir(), "slipway-stream-"));
after(() => rmSync(folder, { recursive: true }));
async function* bytes(): AsyncGenerator<Uint8Array> {
  yield Buffer.from("some ");
  yield Buffer.from("bytes");
}

interface Way {
  readonly name: string;
  readonly write: (path: string) => Promise<void>;
}
const ways: readonly Way[] = [
  { name: "a build's output", write: async (path) => await writeStream(bytes(), path, { context: { kind: "directory", path: folder } }) },
  {
    name: "an archive of copy",
    write: async (path) => {
      const sink = await fileSink(path);
      for await (const chunk of bytes()) await sink.write(chunk);
      await sink.finish();
      await sink.dispose();
    },
  },
];
for (const { name, write } of ways) {
  test(`${name} appears whole, and leaves nothing else`, async () => {
    await write(join(folder, "out"));
    assert.equal(readFileSync(join(folder, "out"), "utf8"), "some bytes");
    assert.deepEqual(readdirSync(folder), ["out"]);
    rmSync(join(folder, "out"));
  });

  test(`${name} goes into a pipe or a device, which stays one`, async () => {
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    const [text] = await Promise.all([readFile(pipe, "utf8"), write(pipe)]);
    assert.equal(text, "some bytes");
    assert.ok(statSync(pipe).isFIFO());
    assert.deepEqual(readdirSync(folder), ["pipe"]);
    rmSync(pipe);
  });
}
