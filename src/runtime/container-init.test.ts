import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { findInit, isStaticProgram } from "./container-init.ts";

/** The head of a 64-bit little-endian ELF file with these kinds of segments. */
function elf(...segments: readonly number[]): Buffer {
  const head = Buffer.alloc(64 + 56 * segments.length);
  head.write("\u007fELF\u0002\u0001", "latin1");
  head.writeBigUInt64LE(64n, 32);
  head.writeUInt16LE(56, 54);
  head.writeUInt16LE(segments.length, 56);
  for (const [index, kind] of segments.entries()) head.writeUInt32LE(kind, 64 + 56 * index);
  return head;
}

const cases: readonly (readonly [name: string, head: Buffer, want: boolean])[] = [
  ["loaded segments alone", elf(1, 1), true],
  ["a dynamic loader", elf(6, 3, 1), false],
  ["headers that are cut off", elf(1, 1).subarray(0, 100), false],
  ["a script", Buffer.from("#!/bin/sh\n".padEnd(100)), false],
  ["nothing", Buffer.alloc(0), false],
];
for (const [name, head, want] of cases) test(`a static program: ${name}`, () => assert.equal(isStaticProgram(head), want));

const directory = mkdtempSync(join(tmpdir(), "slipway-init-"));
after(() => rmSync(directory, { recursive: true }));

test("an init that the image has no libraries for is passed over", () => {
  const file = join(directory, "docker-init");
  writeFileSync(file, elf(3, 1));
  chmodSync(file, 0o755);
  assert.notEqual(findInit(directory), file);
  writeFileSync(file, elf(1));
  assert.equal(findInit(directory), file);
});
