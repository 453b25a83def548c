/**
 * Applications that need a distribution's packages or a language's image: built by Docker and here, on the same bases, and
 * compared in every file, the config, the history and what containers do. Takes minutes and the network, so it runs by name:
 *
 *     SLIPWAY_LAB_DOCKER="chroot /lab docker" SLIPWAY_LAB_DOCKER_PREFIX=/lab scripts/test test/lab/applications.test.ts
 *
 * The prefix is the folder that Docker takes for its root, when that is another than here.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import path from "node:path";
import { after, describe, test } from "node:test";
import { createBuilder } from "../conformance/builder.ts";
import { readCaseFile } from "../conformance/corpus.ts";
import { differences } from "../conformance/outcome.ts";
import { processProgram } from "../conformance/program.ts";
import { createSandbox, isRoot, slipwayPath, type Sandbox } from "../e2e/sandbox.ts";
import { withoutNoise } from "./noise.ts";
import { findPeer, type Peer } from "./peers.ts";

const bases = ["debian:bookworm-slim", "node:24-slim", "golang:1.22-alpine", "nginx:alpine"];
const docker = findPeer("docker");
const cases = readCaseFile(path.join(import.meta.dirname, "applications.case"));

if (typeof docker === "string" || !isRoot) {
  test("applications as Docker builds them", { skip: typeof docker === "string" ? docker : "owners of contexts need root" }, () => undefined);
} else {
  await compareAll(docker);
}

async function compareAll(peer: Peer): Promise<void> {
  const sandbox = await createSandbox({ base: false });
  after(() => sandbox[Symbol.asyncDispose]());
  const missing = await findMissingBases(peer, sandbox);
  const prefix = process.env["SLIPWAY_LAB_DOCKER_PREFIX"] ?? "";
  mkdirSync(path.join(prefix, "tmp"), { recursive: true });
  const directory = mkdtempSync(path.join(prefix, "/tmp/slipway-applications-"));
  after(() => rmSync(directory, { recursive: true, force: true }));
  const env = { ...sandbox.env, SLIPWAY_ROOT: sandbox.store };
  const since = newestBase(peer);
  const theirPlace = { directory, since, seenAs: directory.slice(prefix.length), buildFlags: ["--no-cache", "--provenance=false"] };
  const theirs = await createBuilder(processProgram(peer.words, env), theirPlace, undefined);
  after(() => theirs[Symbol.asyncDispose]());
  const ours = await createBuilder(processProgram([slipwayPath], env), { directory, since, seenAs: directory, buildFlags: ["--no-cache"] }, undefined);
  after(() => ours[Symbol.asyncDispose]());

  describe("applications as Docker builds them", () => {
    for (const one of cases) {
      const dockerfile = one.context.find(({ path: name }) => name === "Dockerfile")?.content.toString() ?? "";
      const lacking = missing.find((base) => dockerfile.includes(`FROM ${base}`));
      test(one.name, { skip: lacking === undefined ? false : `Docker has no ${lacking}`, timeout: 1_200_000 }, async () => {
        const want = await theirs.build(one);
        assert.ok(!("error" in want), "error" in want ? `Docker failed: ${want.error}` : "");
        assert.deepEqual(differences(withoutNoise(await ours.build(one)), withoutNoise(want)), []);
      });
    }
  });
}

/** Brings the bases from Docker here, so that both build on the very same. */
async function findMissingBases(peer: Peer, sandbox: Sandbox): Promise<readonly string[]> {
  const missing: string[] = [];
  for (const base of bases) {
    if (peer.call(["image", "inspect", base]).status !== 0 && peer.call(["pull", "-q", base]).status !== 0) missing.push(base);
    else await sandbox.ok(["load", "-q"], { input: await saved(peer, base) });
  }
  return missing;
}

/**
 * Seconds: what is later than the bases is a build's own time. The start of this run would be too late: Docker takes a WORKDIR from
 * an earlier run even with --no-cache.
 */
function newestBase(peer: Peer): number {
  const created = bases.map((base) => Date.parse(peer.call(["image", "inspect", "-f", "{{.Created}}", base]).stdout.trim()) / 1000);
  return Math.ceil(Math.max(0, ...created.filter((time) => !Number.isNaN(time)))) + 1;
}

async function saved(peer: Peer, image: string): Promise<Buffer> {
  const [program = "", ...words] = peer.words;
  const child = spawn(program, [...words, "save", image], { stdio: ["ignore", "pipe", "inherit"] });
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
