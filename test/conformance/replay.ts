/** Recorded cases, built here: the same files, config and failure as Docker's. Recording: record.ts. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { after, describe, test } from "node:test";
import { makeBaseTar } from "../e2e/base-image.ts";
import { createSandbox, isRoot } from "../e2e/sandbox.ts";
import { createBuilder } from "./builder.ts";
import { caseFiles, readCases, readExpected } from "./corpus.ts";
import { differences } from "./outcome.ts";
import { ownProgram } from "./program.ts";
import { startWebServer } from "./web-server.ts";

/** The cases of these files, in a store of their own: a test file that calls this is a process beside the others. */
export async function replayCases(wanted: (file: string) => boolean): Promise<void> {
  const skip = isRoot ? false : "owners and devices of contexts need root";
  const hasGit = spawnSync("git", ["--version"]).status === 0;
  const sandbox = await createSandbox({ base: false });
  after(() => sandbox[Symbol.asyncDispose]());
  const web = await startWebServer();
  const program = skip ? undefined : await ownProgram(sandbox.env, { host: web.host, directory: sandbox.directory });
  const place = { web, directory: sandbox.directory, seenAs: sandbox.directory, buildFlags: ["--no-cache"] };
  const builder = program === undefined ? undefined : await createBuilder(program.run, place, readFileSync(makeBaseTar()));
  after(async () => {
    await builder?.[Symbol.asyncDispose]();
    await program?.[Symbol.asyncDispose]();
    await web[Symbol.asyncDispose]();
  });

  for (const file of caseFiles().filter(wanted)) {
    const expected = readExpected(file);
    describe(`as Docker: ${file}`, { skip }, () => {
      for (const one of readCases(file)) {
        const needsGit = one.http.some(({ kind }) => kind === "git");
        test(one.name, { skip: needsGit && !hasGit ? "git is not installed" : false }, async () => {
          const want = expected[one.name];
          assert.ok(builder !== undefined && want !== undefined, "nothing is recorded for this case");
          const found = differences(await builder.build(one), want);
          if (one.differs === "") assert.deepEqual(found, []);
          else assert.notDeepEqual(found, [], `the same as Docker's, though the case says: ${one.differs}`);
        });
      }
    });
  }
}
