/** Writes what a program answers into session files: `bin/node test/transcripts/record.ts PROGRAM FILE…`. Docker's answers are what counts. */
import { readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { answerOf, formatTranscript, parseTranscript } from "./transcript.ts";

const [program = "docker", ...files] = process.argv.slice(2);
for (const file of files) {
  const content = readFileSync(file, "utf8");
  const answers: (readonly string[])[] = [];
  for (const { command } of parseTranscript(content)) answers.push(await answerOf(command, { program, env: process.env, cwd: tmpdir() }));
  writeFileSync(file, formatTranscript(content, answers));
}
