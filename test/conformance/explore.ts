/**
 * Looks for cases that nobody thought of: makes Dockerfiles and contexts by chance, builds each with Docker and here, and
 * prints those that differ, in the notation of the case files.
 *
 *     bin/node test/conformance/explore.ts --docker "chroot /lab docker" --directory /lab/tmp/e --seen-as /tmp/e [--seed 1] [--count 100] [--kind copy|run|config|mixed|words|stages|mounts|select] [--strict]
 */
import { mkdirSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { makeBaseTar } from "../e2e/base-image.ts";
import { createBuilder } from "./builder.ts";
import { parseCases, splitWords } from "./case-file.ts";
import { makeCase, type Kind } from "./make-case.ts";
import { differences, type Outcome } from "./outcome.ts";
import { ownProgram, processProgram } from "./program.ts";
import { temporaryDirectory } from "./write-context.ts";

const { values } = parseArgs({
  options: {
    docker: { type: "string", default: process.env["SLIPWAY_LAB_DOCKER"] ?? "docker" },
    directory: { type: "string" },
    "seen-as": { type: "string" },
    seed: { type: "string", default: "1" },
    count: { type: "string", default: "100" },
    strict: { type: "boolean", default: false },
    kind: { type: "string", default: "copy" },
  },
});
const directory = values.directory ?? temporaryDirectory();
mkdirSync(directory, { recursive: true });
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name, value]) => value !== undefined && /^(PATH|HOME|SLIPWAY_.*|NODE_COMPILE_CACHE)$/.test(name)),
) as Record<string, string>;
const base = readFileSync(makeBaseTar());
// Nothing from the cache: an empty directory that an earlier case copied would come with that case's time.
await using docker = await createBuilder(
  processProgram(splitWords(values.docker), env),
  { directory, seenAs: values["seen-as"] ?? directory, buildFlags: ["--provenance=false", "--no-cache"] },
  base,
);
await using own = await ownProgram(env);
await using slipway = await createBuilder(own.run, { directory, seenAs: directory, buildFlags: ["--no-cache"] }, base);

let found = 0;
let failed = 0;
for (let seed = Number(values.seed); seed < Number(values.seed) + Number(values.count); seed++) {
  const text = makeCase(seed, values.kind as Kind);
  const [one] = parseCases(text, `seed ${seed}`);
  if (one === undefined) continue;
  const want = await docker.build(one);
  if ("error" in want && want.error.includes("Cannot connect to the Docker daemon")) throw new Error(want.error);
  if ("error" in want) failed++;
  const here = await outcomeHere(one);
  // Of several faults each may name another.
  if (!values.strict && "error" in here && "error" in want) continue;
  const lines = differences(here, want);
  if (lines.length === 0) continue;
  found++;
  console.log(`${text}\n${lines.map((line) => `    # ${line.replaceAll("\n", "\n    # ")}`).join("\n")}\n`);
}
console.log(`# ${found} of ${values.count} differ; Docker failed in ${failed}`);

async function outcomeHere(one: Parameters<typeof slipway.build>[0]): Promise<Outcome> {
  try {
    return await slipway.build(one);
  } catch (error) {
    return { error: String(error), at: [] };
  }
}
