/**
 * A secret that a callback supplies when the step that needs it runs: never before, and never written to the image. The step
 * is a RUN, so this needs a machine that can run containers; elsewhere it says so and stops.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createBase } from "./base.ts";
import { createWorkplace } from "./store.ts";

await using workplace = await createWorkplace();
const { slipway } = workplace;
const base = await createBase(workplace);

const password = "correct horse battery staple";
let asked = 0;
const options = {
  context: { kind: "directory", path: workplace.context({}) },
  dockerfile: {
    kind: "text",
    text: `FROM ${base}\nRUN --mount=type=secret,id=password wc -c </run/secrets/password >/length\n`,
  },
  tags: ["with-secret"],
  secrets: [
    {
      id: "password",
      value: async () => {
        asked += 1;
        return Promise.resolve(password);
      },
    },
  ],
} as const;

await slipway.build(options).result;
console.log(`asked for the secret ${asked} time(s)`);
assert.equal(asked, 1);

await slipway.build(options).result;
console.log(`after a second build, all cached: ${asked} time(s)`);
assert.equal(asked, 1);

const chunks: Uint8Array[] = [];
for await (const chunk of slipway.images.save(["with-secret"])) chunks.push(chunk);
const archive = Buffer.concat(chunks);
const found = archive.includes(password);
console.log(`the saved image of ${archive.length} bytes ${found ? "HOLDS" : "does not hold"} the secret`);
assert.ok(!found);
assert.ok(execFileSync("tar", ["-tf", "-"], { input: archive, encoding: "utf8" }).includes("manifest.json"));
