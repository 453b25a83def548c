/** A world in memory for tests: what a command writes is kept, standard input is given, the engine is the test's own. */
import type { SlipwayApi } from "../engine/api.ts";
import type { Cli, Output } from "./cli.ts";
import { commandTable } from "./definitions/index.ts";
import { runCommand } from "./run-command.ts";

/** The parts of the engine that a test needs; asking for another part is an error of the test. */
export interface EngineParts {
  readonly build?: SlipwayApi["build"];
  readonly check?: SlipwayApi["check"];
  readonly images?: Partial<SlipwayApi["images"]>;
  readonly containers?: Partial<SlipwayApi["containers"]>;
  readonly system?: Partial<SlipwayApi["system"]>;
}

export interface World {
  readonly engine?: EngineParts;
  readonly stdin?: string;
  readonly stdinIsTTY?: boolean;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly nowMs?: number;
  readonly debug?: boolean;
}

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function createOutput(world: World): { readonly output: Output; text(): string } {
  const chunks: Buffer[] = [];
  const write = (data: string | Uint8Array): void => void chunks.push(Buffer.from(data as Uint8Array));
  return {
    output: { write, writeSlowly: async (data) => write(data), isTTY: world.isTTY ?? false, columns: world.columns ?? 80, rows: 24 },
    text: () => Buffer.concat(chunks).toString(),
  };
}

async function* bytesOf(text: string): AsyncIterable<Uint8Array> {
  if (text !== "") yield Buffer.from(text);
}

function missing(part: string): () => never {
  return () => {
    throw new Error(`the test has no ${part}`);
  };
}

function engineFrom(parts: EngineParts): SlipwayApi {
  const group = (given: object | undefined, name: string): object =>
    new Proxy(given ?? {}, { get: (target, key) => Reflect.get(target, key) ?? missing(`${name}.${String(key)}`) });
  return {
    build: parts.build ?? missing("build"),
    check: parts.check ?? missing("check"),
    images: group(parts.images, "images") as SlipwayApi["images"],
    containers: group(parts.containers, "containers") as SlipwayApi["containers"],
    system: group(parts.system, "system") as SlipwayApi["system"],
    close: async () => undefined,
  };
}

/** Runs one command line behind the global flags. */
export async function runInMemory(words: readonly string[], world: World = {}): Promise<Outcome> {
  const stdout = createOutput(world);
  const stderr = createOutput(world);
  const cli: Cli = {
    stdin: { isTTY: world.stdinIsTTY ?? false, chunks: bytesOf(world.stdin ?? ""), setRaw: () => undefined, close: () => undefined },
    stdout: stdout.output,
    stderr: stderr.output,
    env: world.env ?? {},
    cwd: world.cwd ?? "/",
    signal: new AbortController().signal,
    debug: world.debug ?? false,
    root: undefined,
    now: () => world.nowMs ?? Date.parse("2026-11-23T09:42:36Z"),
    open: async () => engineFrom(world.engine ?? {}),
    onSignal: () => () => undefined,
    onResize: () => () => undefined,
    onExit: () => () => undefined,
  };
  const code = await runCommand(commandTable, cli, words);
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}
