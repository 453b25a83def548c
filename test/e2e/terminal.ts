/** bin/slipway on a pseudo-terminal of 33 rows and 99 columns, by util-linux's script. */
import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { slipwayPath, type Sandbox } from "./sandbox.ts";

/** Why no pseudo-terminal can be had here, or false. */
export const noTerminals: string | false =
  spawnSync("script", ["--version"], { encoding: "utf8" }).stdout?.includes("util-linux") === true ? false : "needs script of util-linux";

export const patienceMs = 60_000;

export class Terminal {
  readonly #child: ChildProcess;
  #output = "";

  constructor(sandbox: Sandbox, ...args: readonly string[]) {
    // what the shell says at the end tells how the terminal was left
    const command = `stty rows 33 cols 99; ${[slipwayPath, ...args].map((word) => `'${word}'`).join(" ")}; code=$?; echo left; stty -a; exit $code`;
    this.#child = spawn("script", ["--quiet", "--return", "--command", command, "/dev/null"], {
      cwd: sandbox.directory,
      env: { ...sandbox.env, SHELL: "/bin/sh", TERM: "xterm" },
      stdio: "pipe",
    });
    this.#child.stdout?.on("data", (chunk: Buffer) => (this.#output += chunk.toString()));
  }

  type(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Waits for it to appear, and forgets everything up to its end. */
  async expect(text: RegExp): Promise<void> {
    const endMs = Date.now() + patienceMs;
    for (let match = text.exec(this.#output); ; match = text.exec(this.#output)) {
      if (match !== null) {
        this.#output = this.#output.slice(match.index + match[0].length);
        return;
      }
      assert.ok(Date.now() < endMs && this.#child.exitCode === null, `never came: ${text}, but: ${JSON.stringify(this.#output)}`);
      await once(this.#child.stdout ?? this.#child, "data", { signal: AbortSignal.timeout(patienceMs) });
    }
  }

  async ended(): Promise<number | null> {
    if (this.#child.exitCode === null) await once(this.#child, "exit", { signal: AbortSignal.timeout(patienceMs) });
    return this.#child.exitCode;
  }

  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
  }
}
