/** Who ships images: what each calls a build, a push, a pull, and how it forgets an image. */
import { rmSync } from "node:fs";
import path from "node:path";
import { spawnSync } from "node:child_process";
import { seenFrom, wordsOf, type Contest } from "./contestants.ts";

type Words = readonly string[];

export interface Shipper {
  readonly name: string;
  readonly env: NodeJS.ProcessEnv;
  readonly build?: (folder: string, name: string) => Words;
  readonly push: (name: string) => Words;
  readonly pull: (name: string) => Words;
  /** the commands that give a pulled image another name */
  readonly tag: (from: string, to: string) => readonly Words[];
  /** after it nothing of the images is here */
  readonly forget: (names: readonly string[]) => void;
}

export function createShippers(contest: Contest): readonly Shipper[] {
  return [slipway(contest), docker(contest), podman(contest), skopeo(contest), crane(contest)].filter((one) => one !== undefined);
}

/** The words of a program that answers; a line says who does not. */
function answering(name: string, given: string, probe: Words): Words | undefined {
  const words = given === "" ? [name] : wordsOf(given);
  const [program = "", ...first] = words;
  if (spawnSync(program, [...first, ...probe], { stdio: "ignore" }).status === 0) return words;
  process.stderr.write(`bench: no ${name} answers; shipping without it (--${name}-cmd)\n`);
  return undefined;
}

/** A new store each time: an image that is removed may leave what other images share. */
function slipway({ slipwayWords, store }: Contest): Shipper {
  const words = wordsOf(slipwayWords);
  const root = `${store}-ship`;
  const env = { ...process.env, SLIPWAY_ROOT: root };
  const build = (folder: string, name: string): Words => [...words, "build", "-q", "--no-cache", "-t", name, folder];
  const forget = (): void => rmSync(root, { recursive: true, force: true });
  return {
    name: "slipway",
    env,
    build,
    push: (name) => [...words, "push", "-q", name],
    pull: (name) => [...words, "pull", "-q", name],
    tag: (from, to) => [[...words, "tag", from, to]],
    forget,
  };
}

function docker(contest: Contest): Shipper | undefined {
  const words = answering("docker", contest.dockerWords, ["version"]);
  if (words === undefined) return undefined;
  return {
    name: "docker",
    env: process.env,
    build: (folder, name) => [...words, "build", "-q", "--no-cache", "--provenance=false", "-t", name, seenFrom(contest, folder)],
    push: (name) => [...words, "push", "-q", name],
    pull: (name) => [...words, "pull", "-q", name],
    tag: (from, to) => [[...words, "tag", from, to]],
    forget: (names) => quietly([...words, "rmi", "-f", ...names]),
  };
}

function podman(contest: Contest): Shipper | undefined {
  const words = answering("podman", contest.podmanWords, ["--version"]);
  if (words === undefined) return undefined;
  return {
    name: "podman",
    env: process.env,
    push: (name) => [...words, "push", "-q", "--tls-verify=false", name],
    pull: (name) => [...words, "pull", "-q", "--tls-verify=false", name],
    tag: (from, to) => [[...words, "tag", from, to]],
    forget: (names) => quietly([...words, "rmi", "-f", "-i", ...names]),
  };
}

/** Keeps images as OCI layouts. */
function skopeo(contest: Contest): Shipper | undefined {
  const words = answering("skopeo", contest.skopeoWords, ["--version"]);
  if (words === undefined) return undefined;
  const layout = path.join(contest.directory, "skopeo");
  const here = `oci:${seenFrom(contest, layout)}:image`;
  return {
    name: "skopeo",
    env: process.env,
    push: (name) => [...words, "copy", "-q", "--dest-tls-verify=false", here, `docker://${name}`],
    pull: (name) => [...words, "copy", "-q", "--src-tls-verify=false", `docker://${name}`, here],
    tag: () => [],
    forget: () => rmSync(layout, { recursive: true, force: true }),
  };
}

function crane(contest: Contest): Shipper | undefined {
  const words = answering("crane", contest.craneWords, ["version"]);
  if (words === undefined) return undefined;
  const layout = path.join(contest.directory, "crane");
  return {
    name: "crane",
    env: process.env,
    push: (name) => [...words, "push", seenFrom(contest, layout), name],
    pull: (name) => [...words, "pull", "--format", "oci", name, seenFrom(contest, layout)],
    tag: () => [],
    forget: () => rmSync(layout, { recursive: true, force: true }),
  };
}

/** An image that was not there is none of its concern. */
function quietly([program = "", ...args]: Words): void {
  spawnSync(program, args, { stdio: "ignore" });
}
