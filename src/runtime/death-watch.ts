/**
 * What must end with this process even when it is killed with -9: a small shell holds the reading end of a pipe, and runs the commands
 * it was given once the pipe closes. It lives in a session of its own, so a signal to our process group does not reach it.
 */
import type { ChildProcess, StdioOptions } from "node:child_process";
import { readFileSync } from "node:fs";

/** Lines: "+N command" notes a command under a number (again: replaces it), "-N" forgets it. */
const script = `trap '' HUP INT TERM
jobs=
while IFS= read -r line; do
  case $line in
    +*) key=\${line%% *}; key=\${key#+}; eval "job_$key=\\\${line#* }"
        case " $jobs " in *" $key "*) ;; *) jobs="$jobs $key" ;; esac ;;
    -*) key=\${line#-}; unset "job_$key"; kept=
        for job in $jobs; do [ "$job" = "$key" ] || kept="$kept $job"; done
        jobs=$kept ;;
  esac
done
for key in $jobs; do eval "command=\\$job_$key"; eval "$command"; done`;

/** by the name of what each holds */
const watches = new Map<string, ChildProcess>();
let nextKey = 0;

/** A descriptor that stays open until the commands noted with it have ended; so does a lock on it. */
export interface HeldLock {
  /** unique in this process */
  readonly name: string;
  readonly descriptor: number;
}

export interface DeathNote {
  /** A shell command line; replaces the one noted before. */
  update(command: string): void;
  /** All is well: forget it. */
  drop(): void;
}

/** From now on `command` runs when this process dies, until the note is dropped. Costs a write; the first call starts the shell (2 ms). */
export function noteDeath(command: string, held?: HeldLock): DeathNote {
  const key = nextKey++;
  const send = (line: string): void => {
    startWatch(held).stdin?.write(`${line}\n`);
  };
  const update = (text: string): void => send(`+${key} ${text.replaceAll("\n", " ")}`);
  update(command);
  return { update, drop: () => send(`-${key}`) };
}

/** Words as one shell command line. */
export function shellCommand(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(" ");
}

/** Kills the process only if it is still the one that had this start time. */
export function killCommand(pid: number): string {
  return ifStillThere(pid, `kill -9 ${pid}`);
}

/** As killCommand(), with the process's children. */
export function killFamilyCommand(pid: number): string {
  return ifStillThere(pid, `{ kill -STOP ${pid}; read -r children </proc/${pid}/task/${pid}/children; kill -9 $children ${pid}; }`);
}

/** The same for all processes that have this word in their command line, for who was killed before their ids were noted: it has to be one of a kind. */
export function killNamedFamiliesCommand(word: string): string {
  const kill = 'kill -STOP "$pid"; read -r children <"/proc/$pid/task/$pid/children"; kill -9 $children "$pid"';
  const found = `$(grep -laF -e ${shellCommand([word])} /proc/[0-9]*/cmdline)`;
  return `{ for file in ${found}; do pid=\${file#/proc/}; pid=\${pid%/cmdline}; ${kill}; done; } 2>/dev/null`;
}

function ifStillThere(pid: number, command: string): string {
  const ticks = startTimeTicks(pid);
  if (ticks === undefined) return ":";
  return `read -r stat </proc/${pid}/stat && set -- \${stat##*)} && [ "\${20}" = ${ticks} ] && ${command}`;
}

/** Field 22 of /proc/PID/stat; undefined when there is no such process. */
export function startTimeTicks(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

function startWatch(held: HeldLock | undefined): ChildProcess {
  const watch = watches.get(held?.name ?? "");
  if (watch !== undefined && watch.exitCode === null && watch.signalCode === null) return watch;
  const { spawn } = process.getBuiltinModule("node:child_process");
  const stdio: StdioOptions = ["pipe", "ignore", "ignore", ...(held === undefined ? [] : [held.descriptor])];
  const child = spawn("/bin/sh", ["-c", script], { detached: true, stdio, cwd: "/" });
  child.unref();
  // the pipe must not keep an idle program alive
  const input = child.stdin;
  if (input !== null && "unref" in input && typeof input.unref === "function") input.unref();
  input?.on("error", () => undefined);
  watches.set(held?.name ?? "", child);
  return child;
}
