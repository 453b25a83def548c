/** `slipway registry serve` as a process of its own, on a free port and with a store below the directory. */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import path from "node:path";

const program = path.resolve(import.meta.dirname, "../../bin/slipway");

export interface Server extends AsyncDisposable {
  readonly url: string;
  readonly child: ChildProcess;
  stderr(): string;
  end(signal: NodeJS.Signals): Promise<number | null>;
}

export async function serve(directory: string, ...flags: readonly string[]): Promise<Server> {
  const child = spawn(program, ["registry", "serve", "--listen", "127.0.0.1:0", "--data", path.join(directory, "data"), ...flags], {
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: directory,
      SLIPWAY_ROOT: path.join(directory, "store"),
      NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] ?? "",
    },
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  // "exit" may come before the last that it wrote
  const exited = once(child, "close") as Promise<[number | null]>;
  const first = await Promise.race([once(child.stdout, "data"), exited.then(([code]) => assert.fail(`ended with ${code}: ${stderr}`))]);
  return {
    child,
    url: String((first as [Buffer])[0]).trim(),
    stderr: () => stderr,
    end: async (signal) => {
      child.kill(signal);
      return (await exited)[0];
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
