/**
 * `npm run bench`: the same builds by Slipway and, where they answer, by Docker and buildah, alternating round by round in
 * one run, so that a busy machine is busy for all of them. Prints medians and ratios; --json writes them as data.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { cases, type Case } from "./cases.ts";
import { createContestants, type Contest, type Contestant } from "./contestants.ts";
import { formatTable, summarize, type Measurement, type Row } from "./figures.ts";
import { inventoryCases, prepareInventory } from "./inventory-cases.ts";
import { createShippers } from "./shippers.ts";
import { measureTransfer, transferCases, writeImageContext } from "./transfer-cases.ts";

const usage = `usage: npm run bench -- [OPTIONS] [CASE...]
  --rounds N                  measured rounds per case (7)
  --json FILE                 also write the figures as JSON ("-": instead of the table)
  --slipway-cmd WORDS         another Slipway than the checkout's
  --docker-cmd WORDS          how Docker is called (docker, if a daemon answers)
  --docker-context-prefix DIR contexts are made below DIR/tmp, and Docker sees them without DIR (a daemon in a chroot)
  --buildah-cmd WORDS         the same for buildah (skipped unless given)
  --podman-cmd WORDS          the same for those who ship images (podman, skopeo, crane, if they answer)
  --skopeo-cmd WORDS
  --crane-cmd WORDS
  --base NAME                 image that every contestant can use as base (made from busybox)
  --store DIR                 Slipway's store (a new one)
cases: ${[...cases, ...inventoryCases, ...transferCases].map((one) => one.name).join(", ")}`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "7" },
    json: { type: "string" },
    "slipway-cmd": { type: "string", default: path.resolve(import.meta.dirname, "../bin/slipway") },
    "docker-cmd": { type: "string", default: process.env["SLIPWAY_BENCH_DOCKER"] ?? "" },
    "docker-context-prefix": { type: "string", default: process.env["SLIPWAY_BENCH_PREFIX"] ?? "" },
    "buildah-cmd": { type: "string", default: process.env["SLIPWAY_BENCH_BUILDAH"] ?? "" },
    "podman-cmd": { type: "string", default: process.env["SLIPWAY_BENCH_PODMAN"] ?? "" },
    "skopeo-cmd": { type: "string", default: process.env["SLIPWAY_BENCH_SKOPEO"] ?? "" },
    "crane-cmd": { type: "string", default: process.env["SLIPWAY_BENCH_CRANE"] ?? "" },
    base: { type: "string", default: "slipway-bench-base:latest" },
    store: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(usage);
  process.exit(0);
}

const rounds = Number(values.rounds);
const isWanted = ({ name }: { readonly name: string }): boolean => positionals.length === 0 || positionals.includes(name);
const wanted = cases.filter(isWanted);
const wantedTransfers = transferCases.filter(isWanted);
const wantedInventories = inventoryCases.filter(isWanted);
if (wanted.length + wantedTransfers.length + wantedInventories.length === 0 || !Number.isInteger(rounds) || rounds < 1) {
  console.error(usage);
  process.exit(2);
}

const prefix = values["docker-context-prefix"];
if (prefix !== "") mkdirSync(path.join(prefix, "tmp"), { recursive: true });
const directory = mkdtempSync(prefix === "" ? path.join(os.tmpdir(), "slipway-bench-") : path.join(prefix, "tmp", "slipway-bench-"));
process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
process.once("SIGINT", () => process.exit(130));

const contest: Contest = {
  slipwayWords: values["slipway-cmd"],
  dockerWords: values["docker-cmd"],
  buildahWords: values["buildah-cmd"],
  podmanWords: values["podman-cmd"],
  skopeoWords: values["skopeo-cmd"],
  craneWords: values["crane-cmd"],
  prefix,
  base: values.base,
  store: values.store ?? path.join(directory, "store"),
  directory,
};
const contestants = createContestants(contest);
say(`contestants: ${contestants.map((one) => one.name).join(", ")}; ${rounds} rounds after one warm-up`);

const measurements: Measurement[] = [];
for (const one of wanted) measurements.push(...measureCase(one));
if (wantedInventories.length > 0) measurements.push(...measureInventories());
if (wantedTransfers.length > 0) measurements.push(...(await measureTransfers()));
const rows: readonly Row[] = summarize(measurements);
if (values.json !== "-") console.log(`\n${formatTable(rows, [...new Set(measurements.map((one) => one.contestant))])}`);
if (values.json !== undefined) {
  const text = `${JSON.stringify({ date: new Date().toISOString(), machine: machine(), rounds, rows, measurements }, null, 2)}\n`;
  if (values.json === "-") process.stdout.write(text);
  else writeFileSync(values.json, text);
}

function measureInventories(): readonly Measurement[] {
  const inventory = prepareInventory(contest);
  if (inventory === undefined) {
    say("this machine has no packages of Debian's: none are listed");
    return [];
  }
  return wantedInventories.flatMap((one) => {
    const measured = inventory.measure(one, rounds);
    report(one.name, measured);
    return measured;
  });
}

async function measureTransfers(): Promise<readonly Measurement[]> {
  if (spawnSync("docker-registry", ["--version"]).error !== undefined) {
    say("no docker-registry is installed (Debian package docker-registry): nothing is shipped");
    return [];
  }
  writeImageContext(path.join(directory, "image"));
  const transfers = { directory, rounds, shippers: createShippers(contest) };
  const measured: Measurement[] = [];
  for (const { name, description } of wantedTransfers) {
    const timings = await measureTransfer({ name, description }, transfers);
    report(name, timings);
    measured.push(...timings.map(({ contestant, timesMs }) => ({ case: name, description, contestant, timesMs })));
  }
  return measured;
}

function report(name: string, timings: readonly Pick<Measurement, "contestant" | "timesMs">[]): void {
  say(`${name}: ${timings.map((one) => `${one.contestant} ${one.timesMs.map((ms) => Math.round(ms)).join(" ")} ms`).join("; ")}`);
}

function measureCase(one: Case): readonly Measurement[] {
  const folder = path.join(directory, one.name);
  mkdirSync(folder);
  one.prepare(folder);
  const times = new Map<string, number[]>(contestants.map((contestant) => [contestant.name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    // who goes first changes, so that a warm page cache favours nobody
    const order = round % 2 === 0 ? contestants : contestants.toReversed();
    for (const contestant of order) {
      one.change?.(folder, round * contestants.length + contestants.indexOf(contestant));
      const elapsedMs = build(contestant, one, folder);
      if (round > 0) times.get(contestant.name)?.push(elapsedMs);
    }
  }
  rmSync(folder, { recursive: true, force: true });
  const measured = [...times].map(([name, timesMs]) => ({ case: one.name, description: one.description, contestant: name, timesMs }));
  report(one.name, measured);
  return measured;
}

function build(contestant: Contestant, one: Case, folder: string): number {
  const [program, ...args] = contestant.buildCommand(folder, one.flags ?? []);
  const begun = performance.now();
  const result = spawnSync(program ?? "", args, { env: contestant.env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], maxBuffer: 1 << 26 });
  const elapsedMs = performance.now() - begun;
  if (result.status !== 0) throw new Error(`${contestant.name} failed in ${one.name}:\n${result.stdout}${result.stderr}`);
  return elapsedMs;
}

function machine(): Readonly<Record<string, string | number>> {
  return { kernel: os.release(), cpus: os.cpus().length, cpu: os.cpus()[0]?.model ?? "", memoryBytes: os.totalmem(), node: process.version };
}

function say(text: string): void {
  process.stderr.write(`bench: ${text}\n`);
}
