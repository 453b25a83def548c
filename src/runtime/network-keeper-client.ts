/** Asks the keeper of the networks, and starts it where none answers. */
import { closeSync, mkdirSync, openSync } from "node:fs";
import { errnoOf, SlipwayError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";
import { flock } from "../store/syscalls.ts";
import type { ContainerHost } from "./container-host.ts";
import { keeperFiles, type KeeperAnswer, type KeeperQuestion } from "./network-keeper-files.ts";
import { requireProgram } from "./programs.ts";

const answerMs = 30_000;

/** Undefined where no keeper is. */
export async function askKeeper(runDirectory: string, question: KeeperQuestion): Promise<KeeperAnswer | undefined> {
  try {
    return JSON.parse(await converse(keeperFiles(runDirectory).socket, JSON.stringify(question))) as KeeperAnswer;
  } catch (error) {
    if (["ENOENT", "ECONNREFUSED", "ECONNRESET", "EPIPE"].includes(errnoOf(error) ?? "") || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function converse(path: string, text: string): Promise<string> {
  const { connect } = process.getBuiltinModule("node:net");
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect({ path, allowHalfOpen: true }, () => socket.end(text));
    socket.setEncoding("utf8");
    socket.setTimeout(answerMs, () => socket.destroy(new SlipwayError("unavailable", "NETWORK_FAILED", "the networks' keeper gives no answer")));
    socket.on("data", (chunk: string) => (answer += chunk));
    socket.on("end", () => resolve(answer));
    socket.on("error", reject);
  });
}

/** Starts one if none answers; true when it did. NETWORK_FAILED (unavailable), PROGRAM_MISSING (failed_precondition). */
export async function ensureKeeper(host: ContainerHost): Promise<boolean> {
  if ((await askKeeper(host.runDirectory, { kind: "list" })) !== undefined) return false;
  const files = keeperFiles(host.runDirectory);
  mkdirSync(files.directory, { recursive: true, mode: 0o700 });
  const lock = openSync(files.lock, "w", 0o600);
  try {
    flock(lock, "exclusive");
    if ((await askKeeper(host.runDirectory, { kind: "list" })) !== undefined) return false;
    await startKeeper(host);
    return true;
  } finally {
    closeSync(lock);
  }
}

/** The keeper must not hold the mounts of the command that starts it: it gets a copy of them, and drops those of the store and of containers. */
const script = `run=$1 store=$2; shift 2
while read -r _ _ _ _ target _; do
  target=$(printf '%b' "$target")
  case $target in "$run"/*|"$store"/*) umount -l "$target" 2>/dev/null || : ;; esac
done </proc/self/mountinfo
exec "$@"`;

async function startKeeper(host: ContainerHost): Promise<void> {
  const unshare = requireProgram("unshare", "a network of several containers");
  for (const program of ["ip", "nsenter"] as const) requireProgram(program, "a network of several containers");
  if (host.keeper === undefined) throw new SlipwayError("unsupported", "NETWORK_FAILED", "networks of several containers have no keeper here");
  const { spawn } = process.getBuiltinModule("node:child_process");
  const { command, store } = host.keeper;
  const child = spawn(unshare, ["--mount", "--propagation", "private", "/bin/sh", "-c", script, "sh", host.runDirectory, store, ...command], {
    detached: true,
    cwd: "/",
    stdio: ["ignore", "pipe", "pipe"],
  });
  let words = "";
  child.stderr.on("data", (chunk: Buffer) => (words = (words + chunk.toString("utf8")).slice(0, 4096)));
  await new Promise<void>((resolve, reject) => {
    child.stdout.once("data", () => resolve());
    child.once("error", reject);
    child.once("exit", () => reject(new SlipwayError("unavailable", "NETWORK_FAILED", printable(`the networks' keeper does not start: ${words.trim()}`))));
  });
  for (const stream of [child.stdout, child.stderr]) stream.destroy();
  child.unref();
}
