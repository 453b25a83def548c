/**
 * A store and a folder of its own for one suite, and bin/slipway run in it as users run it. Nothing of the caller's
 * environment reaches the program but PATH and HOME's replacement; disposing removes containers, mounts and files.
 */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { makeBaseTar } from "./base-image.ts";
import { listProcesses } from "./processes.ts";

const project = path.resolve(import.meta.dirname, "../..");
/** SLIPWAY_TEST_PROGRAM puts another installation, or Docker itself as the oracle, in the checkout's place. */
export const slipwayPath = process.env["SLIPWAY_TEST_PROGRAM"] ?? path.join(project, "bin/slipway");
export const isRoot = process.getuid?.() === 0;

export interface Outcome {
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly stdoutBytes: Buffer;
  readonly elapsedMs: number;
}

export interface CallOptions {
  readonly input?: string | Uint8Array;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** default 240 s; then the whole process group is killed */
  readonly timeoutMs?: number;
  /** words before the program: `["setpriv", "--reuid=1000"]` */
  readonly through?: readonly string[];
  /** kill -9 as soon as it aborts */
  readonly killed?: AbortSignal;
  /** called with all that standard error has said so far, for tests that act in the middle; only the first `kill` of a call counts */
  readonly onStderr?: (text: string, kill: (signal: NodeJS.Signals) => void) => void;
}

export type Files = Readonly<Record<string, string | Uint8Array | { readonly text: string; readonly mode: number }>>;

export interface Sandbox extends AsyncDisposable {
  /** everything of this suite lies below it */
  readonly directory: string;
  /** SLIPWAY_ROOT */
  readonly store: string;
  readonly env: Readonly<Record<string, string>>;
  /** runs bin/slipway to its end, whatever its exit code */
  call(args: readonly string[], options?: CallOptions): Promise<Outcome>;
  /** the same, and exit 0 is asserted; answers standard output without its last line end */
  ok(args: readonly string[], options?: CallOptions): Promise<string>;
  /** repeats a call until it prints exactly this; fails after a minute */
  until(args: readonly string[], want: string): Promise<void>;
  /** writes the files into a new folder and answers its path */
  folder(files: Files): string;
  /** `build -q` of a Dockerfile text with a context of these files; answers the image id */
  build(dockerfile: string, files?: Files, flags?: readonly string[], options?: CallOptions): Promise<string>;
  /** `build --progress=plain` of the same, whatever its exit code */
  buildPlain(dockerfile: string, files?: Files, flags?: readonly string[], options?: CallOptions): Promise<Outcome>;
}

export interface SandboxOptions {
  /** import busybox:latest, so that FROM and RUN work (default true) */
  readonly base?: boolean;
  /** the store's place, when it is not to be a plain folder of the sandbox */
  readonly store?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** words before every call, such as `["setpriv", "--reuid=1000", …]` */
  readonly through?: readonly string[];
  /** the user and group id that own the sandbox's folder and HOME */
  readonly owner?: number;
}

export async function createSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const directory = mkdtempSync(path.join(tmpdir(), "slipway-e2e-"));
  // the suite's other users (rootless runs) must be able to reach what lies below
  chmodSync(directory, 0o755);
  const store = options.store ?? path.join(directory, "store");
  const home = path.join(directory, "home");
  mkdirSync(home);
  const registries = path.join(directory, "registries.conf");
  if (options.owner !== undefined) for (const owned of [directory, home]) chownSync(owned, options.owner, options.owner);
  writeFileSync(registries, 'unqualified-search-registries = ["docker.io"]\n[[registry]]\nprefix = "docker.io"\nlocation = "127.0.0.1:1"\ninsecure = true\n');
  const env: Readonly<Record<string, string>> = {
    PATH: `${process.env["PATH"] ?? ""}:/usr/local/sbin:/usr/sbin:/sbin`,
    HOME: home,
    LANG: "C.UTF-8",
    SLIPWAY_ROOT: store,
    // no test leaves the machine: the hub is a port where nothing listens
    CONTAINERS_REGISTRIES_CONF: registries,
    // what is said of pushed images has a suite of its own
    BUILDX_NO_DEFAULT_ATTESTATIONS: "1",
    ...(process.env["NODE_COMPILE_CACHE"] === undefined ? {} : { NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] }),
    ...options.env,
  };
  const through = options.through ?? [];
  let folders = 0;

  const sandbox: Sandbox = {
    directory,
    store,
    env,
    call: (args, call = {}) =>
      spawnSlipway([...(call.through ?? through), slipwayPath, ...args], { ...call, cwd: call.cwd ?? directory, env: { ...env, ...call.env } }),
    async ok(args, call) {
      const outcome = await sandbox.call(args, call);
      assert.equal(outcome.code, 0, `slipway ${args.join(" ")} ended ${outcome.code ?? outcome.signal}:\n${outcome.stdout}${outcome.stderr}`);
      return outcome.stdout.replace(/\n$/, "");
    },
    async until(args, want) {
      const deadlineMs = Date.now() + 60_000;
      let said = await sandbox.ok(args);
      while (said !== want && Date.now() < deadlineMs) said = await sandbox.ok(args);
      assert.equal(said, want, `slipway ${args.join(" ")}`);
    },
    folder(files) {
      folders += 1;
      const folder = path.join(directory, `context-${folders}`);
      writeFiles(folder, files);
      return folder;
    },
    build: (dockerfile, files = {}, flags = [], call = {}) => sandbox.ok(["build", "-q", ...flags, sandbox.folder({ Dockerfile: dockerfile, ...files })], call),
    buildPlain: (dockerfile, files = {}, flags = [], call = {}) =>
      sandbox.call(["build", "--progress=plain", ...flags, sandbox.folder({ Dockerfile: dockerfile, ...files })], call),
    async [Symbol.asyncDispose]() {
      await removeContainers(sandbox);
      if (options.owner !== undefined && isRoot) endUser(options.owner);
      removeTree(directory);
    },
  };
  if (options.base !== false) await sandbox.ok(["import", "--change", 'CMD ["sh"]', makeBaseTar(), "busybox:latest"]);
  return sandbox;
}

export function writeFiles(folder: string, files: Files): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    if (typeof content === "string" || content instanceof Uint8Array) writeFileSync(file, content);
    else {
      writeFileSync(file, content.text);
      chmodSync(file, content.mode);
    }
  }
}

/** Also of trees that hold mounts of a killed process, or files of a user's subordinate ids. */
export function removeTree(directory: string): void {
  try {
    rmSync(directory, { recursive: true, force: true });
  } catch {
    spawnSync(
      "sh",
      ["-c", `awk -v d="$1/" 'index($5, d) == 1 { print $5 }' /proc/self/mountinfo | sort -r | xargs -r umount -l; rm -rf "$1"`, "sh", directory],
      { stdio: "ignore" },
    );
  }
}

/** What runs on for an ordinary user: the process that keeps the namespace, and where it is noted. */
function endUser(id: number): void {
  for (const { pid, uid } of listProcesses()) {
    try {
      if (uid === id) process.kill(pid, "SIGKILL");
    } catch {
      // it has ended
    }
  }
  removeTree(`/tmp/slipway-${id}`);
}

async function removeContainers(sandbox: Sandbox): Promise<void> {
  if (!existsSync(path.join(sandbox.store, "slipway.db"))) return;
  const ids = (await sandbox.call(["ps", "-aq"])).stdout.split("\n").filter((id) => id !== "");
  if (ids.length > 0) await sandbox.call(["rm", "-f", ...ids]);
}

interface Spawn extends CallOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

function spawnSlipway(words: readonly string[], options: Spawn): Promise<Outcome> {
  const startedMs = performance.now();
  const [program = "", ...args] = words;
  // a process group of its own, so that a timeout or a kill -9 takes every process of the call
  const child = spawn(program, args, { cwd: options.cwd, env: options.env, stdio: ["pipe", "pipe", "pipe"], detached: true });
  const kill = (signal: NodeJS.Signals): void => {
    // what it still said is read after its end, and its group may be gone by then
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) process.kill(-child.pid, signal);
  };
  let isKilled = false;
  const killOnce = (signal: NodeJS.Signals): void => {
    if (!isKilled) kill(signal);
    isKilled = true;
  };
  options.killed?.addEventListener("abort", () => kill("SIGKILL"), { once: true });
  const timer = setTimeout(() => kill("SIGKILL"), options.timeoutMs ?? 240_000);
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => {
    stderr.push(chunk);
    options.onStderr?.(Buffer.concat(stderr).toString(), killOnce);
  });
  // a program that refuses its arguments does not read its input
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.input ?? "");
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      const stdoutBytes = Buffer.concat(stdout);
      resolve({
        code: code ?? undefined,
        signal: signal ?? undefined,
        stdout: stdoutBytes.toString(),
        stderr: Buffer.concat(stderr).toString(),
        stdoutBytes,
        elapsedMs: performance.now() - startedMs,
      });
    });
  });
}

/** The vertex lines of plain progress: "[2/3] RUN make" → "cached", "done" or the error's text. */
export function stepsOf(outcome: Outcome): ReadonlyMap<string, "cached" | "done" | "error" | "running"> {
  const names = new Map<string, string>();
  const states = new Map<string, "cached" | "done" | "error" | "running">();
  for (const line of outcome.stderr.split("\n")) {
    const match = /^#(\d+) (.*)$/.exec(line);
    const number = match?.[1];
    const text = match?.[2];
    if (number === undefined || text === undefined) continue;
    const name = names.get(number);
    if (name === undefined) {
      names.set(number, text);
      states.set(text, "running");
    } else if (text === "CACHED") states.set(name, "cached");
    else if (text.startsWith("DONE ")) states.set(name, "done");
    else if (text.startsWith("ERROR")) states.set(name, "error");
  }
  return states;
}

/** The states of the steps whose name matches, in order of appearance. */
export function statesOf(outcome: Outcome, name: RegExp): readonly string[] {
  return [...stepsOf(outcome)].filter(([step]) => name.test(step)).map(([, state]) => state);
}
