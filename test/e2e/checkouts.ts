/** Repositories and checkouts of them that differ in all that a commit does not say. */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, utimesSync } from "node:fs";
import path from "node:path";
import { createSandbox, isRoot, slipwayPath, type Sandbox } from "./sandbox.ts";

export const hasNoGit = spawnSync("git", ["--version"]).error !== undefined;

export function git(folder: string, ...args: readonly string[]): string {
  return execFileSync("git", ["-C", folder, "-c", "user.name=t", "-c", "user.email=t@example.test", "-c", "protocol.file.allow=always", ...args], {
    encoding: "utf8",
  });
}

/** All that is there becomes the next commit; `time`: "2026-01-02T03:04:05Z". */
export function commit(folder: string, time?: string): void {
  git(folder, "add", ".");
  const dates = time === undefined ? {} : { GIT_COMMITTER_DATE: time, GIT_AUTHOR_DATE: time };
  execFileSync("git", ["-C", folder, "-c", "user.name=t", "-c", "user.email=t@example.test", "commit", "-qm", "c"], { env: { ...process.env, ...dates } });
}

export function repository(sandbox: Sandbox, files: Parameters<Sandbox["folder"]>[0], time?: string): string {
  const folder = sandbox.folder(files);
  git(folder, "init", "-q", "-b", "main");
  commit(folder, time);
  return folder;
}

export interface CheckoutPlace {
  /** below the sandbox's directory */
  readonly name: string;
  readonly umask: string;
  /** of all its files, since 1970 */
  readonly seconds: number;
  readonly owner?: number;
}

/** `umask`, owner and times are the checkout's own. */
export function checkout(sandbox: Sandbox, origin: string, { name, umask, seconds, owner }: CheckoutPlace): string {
  const folder = path.join(sandbox.directory, name);
  mkdirSync(path.dirname(folder), { recursive: true });
  execFileSync("sh", ["-c", `umask ${umask}; exec git clone -q "$1" "$2"`, "sh", origin, folder]);
  for (const file of ["", ...readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => !file.startsWith(".git"))]) {
    utimesSync(path.join(folder, file), seconds, seconds);
  }
  if (owner !== undefined && isRoot) execFileSync("chown", ["-R", `${owner}:${owner}`, folder]);
  return folder;
}

export interface Stores extends AsyncDisposable {
  readonly here: Sandbox;
  readonly there: Sandbox;
  /** an archive of the base image that both have */
  readonly base: string;
}

/** Two that have nothing in common but the base image. */
export async function twoStores(): Promise<Stores> {
  const here = await createSandbox();
  const there = await createSandbox({ base: false });
  const base = path.join(here.directory, "base.tar");
  await here.ok(["save", "-o", base, "busybox"]);
  chmodSync(base, 0o644);
  await there.ok(["load", "-i", base]);
  const dispose = async (): Promise<void> => {
    await there[Symbol.asyncDispose]();
    await here[Symbol.asyncDispose]();
  };
  return { here, there, base, [Symbol.asyncDispose]: dispose };
}

/** An id that no account has and that is in no subordinate range, with the words that make a process its. */
export const ordinaryUser = 50_000 + (process.pid % 10_000);
export const becomeOrdinary = ["setpriv", `--reuid=${ordinaryUser}`, `--regid=${ordinaryUser}`, "--clear-groups"];
export const noOrdinaryUser =
  isRoot && spawnSync("setpriv", [...becomeOrdinary.slice(1), "test", "-r", slipwayPath]).status === 0
    ? false
    : "needs root, setpriv and a checkout that others can read";
