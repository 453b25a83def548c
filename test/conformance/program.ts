/** Two ways to run a command line: as a process, be it Docker's or ours, and ours inside this process, which spares its start. */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { runInMemory } from "../../src/cli/memory-cli.ts";
import { Slipway } from "../../src/engine/index.ts";

export interface Finished {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export type Program = (args: readonly string[], input?: Uint8Array, env?: Readonly<Record<string, string>>) => Promise<Finished>;

/** `words` come before Docker's own. */
export function processProgram([file = "", ...first]: readonly string[], own: Readonly<Record<string, string>>): Program {
  return (args, input, env) => {
    const child = spawn(file, [...first, ...args], { env: { ...own, ...env }, stdio: ["pipe", "pipe", "pipe"] });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    child.stdin.on("error", () => undefined);
    child.stdin.end(input ?? "");
    return new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code) => resolve({ code: code ?? -1, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() }));
    });
  };
}

export interface OwnProgram extends AsyncDisposable {
  readonly run: Program;
}

function writeRegistries(directory: string, hub: string): string {
  const file = path.join(directory, "hub.conf");
  writeFileSync(file, `unqualified-search-registries = ["docker.io"]\n[[registry]]\nprefix = "docker.io"\nlocation = "${hub}"\ninsecure = true\n`);
  return file;
}

/** The whole command line on one open store. Calls come one after the other. `hub`: host:port of the registry of docker.io's images. */
export async function ownProgram(own: Readonly<Record<string, string>>, hub?: { readonly host: string; readonly directory: string }): Promise<OwnProgram> {
  Object.assign(process.env, own, hub === undefined ? {} : { CONTAINERS_REGISTRIES_CONF: writeRegistries(hub.directory, hub.host) });
  const engine = await Slipway.open();
  return {
    run: async (args, input, env = {}) => {
      const former = { ...process.env };
      Object.assign(process.env, env);
      try {
        const stdout: Uint8Array[] = [];
        const world = { open: async () => engine, env: { ...process.env }, cwd: "/", onStdout: (bytes: Uint8Array) => void stdout.push(bytes) };
        const { code, stderr } = await runInMemory(args, { ...world, ...(input === undefined ? {} : { stdin: input }) });
        return { code, stdout: Buffer.concat(stdout), stderr };
      } finally {
        process.env = former;
      }
    },
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
}
