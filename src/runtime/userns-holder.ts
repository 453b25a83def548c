/**
 * The holder: a sleeping process whose only purpose is to keep one user namespace of this user alive. Every command enters that namespace, so
 * a later `exec` or `stop` has power over containers that an earlier `run` started: they belong to the same namespace. It ends with the boot.
 */
import type { ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { SlipwayError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";
import { flock } from "../store/syscalls.ts";
import { startTimeTicks } from "./death-watch.ts";
import { findProgram } from "./programs.ts";
import { openRunDirectory } from "./run-directory.ts";
import { runProgram } from "./run-program.ts";
import { mapArguments, parseSubids } from "./subids.ts";

export interface Holder {
  readonly pid: number;
  readonly startTimeTicks: string;
  /** only the user's own id is mapped (as root): no subordinate ids, or no newuidmap */
  readonly singleId: boolean;
}

/** Finds the holder or starts it; commands that come at the same time get the same one. USERNS_UNAVAILABLE (failed_precondition), RUN_DIRECTORY. */
export async function ensureNamespaceHolder(runDirectory: string): Promise<Holder> {
  const file = join(runDirectory, "userns.json");
  openRunDirectory(runDirectory, process.geteuid?.() ?? 0);
  const found = readHolder(file);
  if (found !== undefined) return found;
  const lock = openSync(join(runDirectory, "userns.lock"), "w", 0o600);
  try {
    flock(lock, "exclusive");
    return readHolder(file) ?? (await startHolder(file));
  } finally {
    closeSync(lock);
  }
}

/** Undefined unless the very process that was noted still lives and its namespace can be entered from here. */
export function readHolder(file: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(file, "utf8"));
    if (typeof value !== "object" || value === null) return undefined;
    const [pid, ticks, singleId] = ["pid" in value && value.pid, "startTimeTicks" in value && value.startTimeTicks, "singleId" in value && value.singleId];
    if (typeof pid !== "number" || typeof ticks !== "string" || typeof singleId !== "boolean") return undefined;
    return startTimeTicks(pid) === ticks && mayEnter(pid) ? { pid, startTimeTicks: ticks, singleId } : undefined;
  } catch {
    return undefined;
  }
}

/** From within another namespace (a container that shares the run directory) the kernel refuses. */
function mayEnter(pid: number): boolean {
  try {
    closeSync(openSync(`/proc/${pid}/ns/user`, "r"));
    return true;
  } catch {
    return false;
  }
}

/** It says that it is inside, waits until its ids are mapped, and sleeps. */
const holderScript = "echo; read -r _; exec sleep infinity";

async function startHolder(file: string): Promise<Holder> {
  const { spawn } = process.getBuiltinModule("node:child_process");
  const unshare = findProgram("unshare");
  if (unshare === undefined) throw unavailable("unshare is not installed", "apt-get install -y util-linux");
  const child = spawn(unshare, ["--user", "/bin/sh", "-c", holderScript], { detached: true, cwd: "/", stdio: ["pipe", "pipe", "pipe"] });
  await insideNamespace(child);
  const pid = child.pid ?? 0;
  try {
    const singleId = !(await mapRanges(pid));
    child.stdin.end("\n");
    const holder: Holder = { pid, startTimeTicks: startTimeTicks(pid) ?? "", singleId };
    writeFileSync(`${file}.${process.pid}`, JSON.stringify(holder), { mode: 0o600 });
    renameSync(`${file}.${process.pid}`, file);
    for (const stream of [child.stdout, child.stderr]) stream.destroy();
    child.unref();
    return holder;
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
}

function insideNamespace(child: ChildProcess): Promise<void> {
  let words = "";
  child.stderr?.on("data", (chunk: Buffer) => (words = (words + chunk.toString("utf8")).slice(0, 4096)));
  return new Promise((resolve, reject) => {
    child.stdout?.once("data", () => resolve());
    child.once("error", (error) => reject(unavailable(error.message, remedy())));
    child.once("exit", () => reject(unavailable(printable(words.trim()), remedy())));
  });
}

/** true: the user's subordinate ids are mapped; false: only the user itself. */
async function mapRanges(pid: number): Promise<boolean> {
  const user = currentUser();
  const [newuidmap, newgidmap] = [findProgram("newuidmap"), findProgram("newgidmap")];
  const uids = parseSubids(readText("/etc/subuid"), { name: user.username, uid: user.uid });
  const gids = parseSubids(readText("/etc/subgid"), { name: user.username, uid: user.uid });
  if (newuidmap !== undefined && newgidmap !== undefined && uids.length > 0 && gids.length > 0) {
    await runProgram(newuidmap, [String(pid), ...mapArguments(user.uid, uids)]);
    await runProgram(newgidmap, [String(pid), ...mapArguments(user.gid, gids)]);
    return true;
  }
  writeFileSync(`/proc/${pid}/uid_map`, `0 ${user.uid} 1`);
  // without this an unprivileged user may not map a group
  writeFileSync(`/proc/${pid}/setgroups`, "deny");
  writeFileSync(`/proc/${pid}/gid_map`, `0 ${user.gid} 1`);
  return false;
}

/** An id without an account (containers, CI) has no name: its ranges can then only be noted by number. */
function currentUser(): { readonly username: string; readonly uid: number; readonly gid: number } {
  try {
    return userInfo();
  } catch {
    return { username: "", uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  }
}

function unavailable(reason: string, install: string): SlipwayError {
  return new SlipwayError("failed_precondition", "USERNS_UNAVAILABLE", `user namespaces cannot be used: ${reason}`, { remedy: install });
}

/** The switch that forbids namespaces to ordinary users here, and the command that root runs. */
function remedy(): string {
  if (readText("/proc/sys/user/max_user_namespaces").trim() === "0") return "sysctl -w user.max_user_namespaces=15000";
  if (readText("/proc/sys/kernel/unprivileged_userns_clone").trim() === "0") return "sysctl -w kernel.unprivileged_userns_clone=1";
  if (readText("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").trim() === "1") return "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0";
  return "run as root";
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
