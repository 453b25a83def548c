import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { layoutEntries } from "./layout-files.ts";

/** Adds an entry: says "ready" before it asks for the index, "reading" when it has it, and writes it when told to go on. */
const program = (directory: string, letter: string): string => `
import { readSync, writeSync } from "node:fs";
import { changeLayoutIndex } from ${JSON.stringify(new URL("layout-files.ts", import.meta.url).href)};
const digest = "sha256:" + ${JSON.stringify(letter)}.repeat(64);
writeSync(1, "ready\\n");
changeLayoutIndex(${JSON.stringify(directory)}, (entries) => {
  writeSync(1, "reading\\n");
  readSync(0, Buffer.alloc(1));
  return JSON.stringify({ schemaVersion: 2, manifests: [...entries, { mediaType: "application/vnd.oci.image.manifest.v1+json", digest, size: 1 }] });
});
`;

function start(directory: string, letter: string): { readonly child: ChildProcess; readonly said: (word: string) => Promise<void> } {
  const child = spawn(process.execPath, ["--input-type=module", "-e", program(directory, letter)], { stdio: ["pipe", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const said = async (word: string): Promise<void> => {
    while (!text.includes(word)) await once(child.stdout, "data");
  };
  return { child, said };
}

test("two programs that add to one layout lose no entry", async () => {
  const directory = mkdtempSync(join(tmpdir(), "slipway-layout-"));
  try {
    const first = start(directory, "a");
    await first.said("reading");
    const second = start(directory, "b");
    await second.said("ready");
    for (const { child, said } of [first, second]) {
      await said("reading");
      child.stdin?.end("x");
      await once(child, "close");
    }
    assert.deepEqual(
      layoutEntries(directory).map(({ digest }) => digest[7]),
      ["a", "b"],
    );
    assert.deepEqual(readdirSync(directory), ["index.json"]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
