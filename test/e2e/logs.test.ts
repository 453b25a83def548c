/** Logs tell every byte that a container wrote, on its stream. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { createSandbox } from "./sandbox.ts";

const sandbox = await createSandbox();
after(() => sandbox[Symbol.asyncDispose]());

/** How much the suite writes; more by hand: SLIPWAY_LOG_MEGABYTES=200. */
const megabytes = Number(process.env["SLIPWAY_LOG_MEGABYTES"] ?? 12);

test(`${megabytes} MB of anything, without a newline at the end`, async () => {
  const file = path.join(sandbox.directory, "bytes");
  const bytes = Buffer.concat([Buffer.from("\n\n\0\r\n"), ...Array.from({ length: megabytes }, () => randomBytes(1_000_000)), Buffer.from("no end")]);
  writeFileSync(file, bytes);
  await sandbox.ok(["run", "-d", "--name", "bytes", "-v", `${file}:/bytes:ro`, "busybox", "sh", "-c", "cat /bytes; echo error >&2"]);
  await sandbox.ok(["wait", "bytes"]);
  const whole = await sandbox.call(["logs", "bytes"], { timeoutMs: 600_000 });
  assert.ok(whole.stdoutBytes.equals(bytes), `${whole.stdoutBytes.length} of ${bytes.length} bytes`);
  assert.equal(whole.stderr, "error\n");
  await sandbox.ok(["rm", "bytes"]);
});

test("lines of both streams keep their order and their times", async () => {
  // "late" is written when the log has all the others: what comes at the same time on two streams has no order
  const script = "for i in $(seq 2000); do echo $i; done; until [ -e /go ]; do sleep 0.05; done; echo late >&2";
  await sandbox.ok(["run", "-d", "--name", "lines", "busybox", "sh", "-c", script]);
  const numbers = Array.from({ length: 2000 }, (_, at) => `${at + 1}\n`).join("");
  await sandbox.until(["logs", "lines"], numbers.trimEnd());
  await sandbox.ok(["exec", "lines", "touch", "/go"]);
  await sandbox.ok(["wait", "lines"]);
  const plain = await sandbox.call(["logs", "lines"]);
  assert.deepEqual([plain.stdout, plain.stderr], [numbers, "late\n"]);
  const timed = await sandbox.call(["logs", "-t", "--details", "--tail", "3", "lines"]);
  assert.match(timed.stdout, /^\d{4}-\d\d-\d\dT[\d:.]+Z {2}1999\n\d{4}-\d\d-\d\dT[\d:.]+Z {2}2000\n$/);
  assert.match(timed.stderr, /^\d{4}-\d\d-\d\dT[\d:.]+Z {2}late\n$/);
  const since = timed.stderr.split(" ")[0] ?? "";
  assert.deepEqual((await sandbox.call(["logs", "--since", since, "lines"])).stdout, "");
  assert.deepEqual((await sandbox.call(["logs", "--follow", "lines"])).stdout, numbers);
  await sandbox.ok(["rm", "lines"]);
});
