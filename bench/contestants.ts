/** Who is measured: Slipway always, Docker and buildah where they answer. Each gets the same small base under the same name. */
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { makeBaseTar } from "../test/e2e/base-image.ts";

export interface Contestant {
  readonly name: string;
  readonly env: NodeJS.ProcessEnv;
  readonly buildCommand: (folder: string, flags: readonly string[]) => readonly string[];
}

export interface Contest {
  readonly slipwayWords: string;
  readonly dockerWords: string;
  readonly buildahWords: string;
  readonly podmanWords: string;
  readonly skopeoWords: string;
  readonly craneWords: string;
  /** folder below which another root sees its own files; "" when all see the same */
  readonly prefix: string;
  readonly base: string;
  readonly store: string;
  readonly directory: string;
}

export const wordsOf = (text: string): readonly string[] => text.split(" ").filter((word) => word !== "");

export function createContestants(contest: Contest): readonly Contestant[] {
  return [slipway(contest), docker(contest), buildah(contest)].filter((one) => one !== undefined);
}

function slipway(contest: Contest): Contestant {
  const words = wordsOf(contest.slipwayWords);
  const [program = "", ...first] = words;
  const env = { ...process.env, SLIPWAY_ROOT: contest.store };
  execFileSync(program, [...first, "import", makeBaseTar(), contest.base], { env, stdio: ["ignore", "ignore", "inherit"] });
  return { name: "slipway", env, buildCommand: (folder, flags) => [...words, ...buildWords(contest, folder, flags)] };
}

function buildWords(contest: Contest, folder: string, flags: readonly string[]): readonly string[] {
  return ["build", "-q", "--build-arg", `BASE=${contest.base}`, "-t", "slipway-bench:latest", ...flags, folder];
}

export function seenFrom(contest: Contest, folder: string): string {
  return contest.prefix !== "" && folder.startsWith(contest.prefix) ? folder.slice(contest.prefix.replace(/\/$/, "").length) : folder;
}

function docker(contest: Contest): Contestant | undefined {
  const words = contest.dockerWords === "" ? ["docker"] : wordsOf(contest.dockerWords);
  const [program = "", ...first] = words;
  const probe = spawnSync(program, [...first, "version", "--format", "{{.Server.Version}}"], { encoding: "utf8" });
  if (probe.error !== undefined || probe.status !== 0) {
    process.stderr.write("bench: no Docker answers; measuring without it (--docker-cmd)\n");
    return undefined;
  }
  execFileSync(program, [...first, "import", "-", contest.base], { input: readFileSync(makeBaseTar()), stdio: ["pipe", "ignore", "inherit"] });
  return {
    name: "docker",
    env: process.env,
    buildCommand: (folder, flags) => [...words, ...buildWords(contest, seenFrom(contest, folder), ["--provenance=false", ...flags])],
  };
}

/** buildah has no cache without --layers; its base comes from a Dockerfile on the same tar. */
function buildah(contest: Contest): Contestant | undefined {
  const words = wordsOf(contest.buildahWords);
  const [program, ...first] = words;
  if (program === undefined) return undefined;
  const container = execFileSync(program, [...first, "from", "scratch"], { encoding: "utf8" }).trim();
  execFileSync(program, [...first, "add", container, seenFrom(contest, copyOfBase(contest))], { stdio: "ignore" });
  execFileSync(program, [...first, "commit", "--rm", container, contest.base], { stdio: "ignore" });
  return {
    name: "buildah",
    env: process.env,
    buildCommand: (folder, flags) => [
      ...words,
      ...buildWords(contest, seenFrom(contest, folder), ["--layers", "--pull=never", ...flags]).filter((word) => !word.startsWith("--provenance")),
    ],
  };
}

function copyOfBase(contest: Contest): string {
  const copy = path.join(contest.directory, "base.tar");
  execFileSync("cp", [makeBaseTar(), copy]);
  return copy;
}
