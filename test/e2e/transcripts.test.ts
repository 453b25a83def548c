/** Command lines and what Docker answered to them, run here: standard output, standard error and exit codes are the same. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { answerOf, parseTranscript } from "../transcripts/transcript.ts";
import { createSandbox, slipwayPath } from "./sandbox.ts";

const sandbox = await createSandbox();
after(() => sandbox[Symbol.asyncDispose]());

const sessions = path.resolve(import.meta.dirname, "../transcripts/sessions");
for (const file of readdirSync(sessions)) {
  test(`session ${path.basename(file, ".txt")}`, async (context) => {
    for (const { command, answer } of parseTranscript(readFileSync(path.join(sessions, file), "utf8"))) {
      await context.test(command, async () => {
        assert.deepEqual(await answerOf(command, { program: slipwayPath, env: { ...sandbox.env }, cwd: sandbox.directory }), answer);
      });
    }
  });
}
