/** The world around a command when it runs as a process: its streams, signals and the store on disk. */
import { SlipwayError } from "../base/errors.ts";
import { exitCodeOfSignal } from "./exit-code.ts";
import { printable } from "../base/printable.ts";
import { resolve } from "node:path";
import type { PolicySettings, SlipwayApi } from "../engine/api.ts";
import type { AccountApi } from "../engine/registry-api.ts";
import type { Cli, Output } from "./cli.ts";
import { openInput, openOutput } from "./standard-streams.ts";

/** The first SIGINT or SIGTERM aborts with a reason, the second ends the process; a command that proxies signals takes them. */
class Signals {
  readonly #controller = new AbortController();
  readonly #takers = new Set<(name: NodeJS.Signals) => boolean>();

  constructor() {
    for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => this.#arrive(name));
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  #arrive(name: NodeJS.Signals): void {
    let taken = false;
    for (const taker of this.#takers) taken = taker(name) || taken;
    if (taken) return;
    if (this.#controller.signal.aborted) process.exit(exitCodeOfSignal(name));
    this.#controller.abort(new SlipwayError("canceled", "CANCELED", "canceled", { signal: name }));
  }

  take(names: readonly NodeJS.Signals[], listener: (name: NodeJS.Signals) => void): () => void {
    const taker = (name: NodeJS.Signals): boolean => {
      if (!names.includes(name)) return false;
      listener(name);
      return true;
    };
    this.#takers.add(taker);
    const others = names.filter((name) => name !== "SIGINT" && name !== "SIGTERM");
    for (const name of others) process.on(name, listener);
    return () => {
      this.#takers.delete(taker);
      for (const name of others) process.off(name, listener);
    };
  }
}

export interface ProcessCli extends Cli {
  /** Closes what was opened. */
  close(): Promise<void>;
}

/** What the engine warns of reads like the program's other lines; Node's own hints on how to trace it are left out. */
function showWarnings(stderr: Output): void {
  process.removeAllListeners("warning");
  process.on("warning", (warning) => {
    if (warning.name !== "ExperimentalWarning") stderr.write(`WARNING: ${printable(warning.message)}\n`);
  });
}

export interface ProcessOptions {
  readonly root: string | undefined;
  readonly debug: boolean;
  readonly policyFile?: string | undefined;
  readonly policyOverrides?: readonly string[];
}

async function policySettings({ policyFile, policyOverrides = [] }: Pick<ProcessOptions, "policyFile" | "policyOverrides">): Promise<PolicySettings> {
  const overrides = policyOverrides.length === 0 ? [] : policyOverrides.map((await import("../engine/policy/policies.ts")).parseOverride);
  return { overrides, ...(policyFile === undefined ? {} : { file: resolve(policyFile) }) };
}

/** One that was removed meanwhile has nothing in it: what is relative to it is not found, and the rest works. */
function workingDirectory(): string {
  try {
    return process.cwd();
  } catch {
    process.chdir("/");
    return process.env["PWD"] ?? "/";
  }
}

export function createProcessCli(options: ProcessOptions): ProcessCli {
  const signals = new Signals();
  const stdin = openInput();
  const stderr = openOutput(2);
  showWarnings(stderr);
  let engine: Promise<SlipwayApi> | undefined;
  let accounts: Promise<AccountApi & AsyncDisposable> | undefined;
  let file: string | undefined;
  let overrides: readonly string[] = [];
  const open = async (): Promise<SlipwayApi> => {
    const { Slipway, enterUserNamespace } = await import("../engine/index.ts");
    await enterUserNamespace();
    return Slipway.open({
      policy: await policySettings({ policyFile: file ?? options.policyFile, policyOverrides: [...(options.policyOverrides ?? []), ...overrides] }),
      ...(options.root === undefined ? {} : { root: options.root }),
    });
  };
  return {
    stdin,
    stdout: openOutput(1),
    stderr,
    env: process.env,
    cwd: workingDirectory(),
    signal: signals.signal,
    debug: options.debug,
    root: options.root,
    now: () => Date.now(),
    open: () => (engine ??= open()),
    useAuthFile: (file) => {
      // helpers, and the process in the user namespace, are told by it too
      process.env["REGISTRY_AUTH_FILE"] = file;
      delete process.env["DOCKER_AUTH_CONFIG"];
    },
    usePolicy: (named, more) => {
      file = named ?? file;
      overrides = [...overrides, ...more];
    },
    accounts: () => (accounts ??= import("../engine/accounts.ts").then(({ openAccounts }) => openAccounts())),
    onSignal: (names, listener) => signals.take(names, listener),
    onResize: (listener) => {
      process.on("SIGWINCH", listener);
      return () => process.off("SIGWINCH", listener);
    },
    onExit: (listener) => {
      process.on("exit", listener);
      return () => process.off("exit", listener);
    },
    close: async () => {
      stdin.close();
      const opened = await engine?.catch(() => undefined);
      await opened?.close();
      await (await accounts)?.[Symbol.asyncDispose]();
      // a warning is told on the next tick, which a command that waits for nothing else would not live to see
      await new Promise<void>((resolve) => process.nextTick(resolve));
    },
  };
}
