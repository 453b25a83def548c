/** A world in memory for tests: what a command writes is kept, standard input is given, the engine is the test's own. */
import type { SlipwayApi } from "../engine/api.ts";
import type { Cli, Output } from "./cli.ts";
import { commandTable } from "./definitions/index.ts";
import { runWords } from "./run-command.ts";

/** The parts of the engine that a test needs; asking for another part is an error of the test. */
export interface EngineParts {
  readonly build?: SlipwayApi["build"];
  readonly check?: SlipwayApi["check"];
  readonly outline?: SlipwayApi["outline"];
  readonly targets?: SlipwayApi["targets"];
  readonly lock?: SlipwayApi["lock"];
  readonly buildTwice?: SlipwayApi["buildTwice"];
  readonly images?: Partial<SlipwayApi["images"]>;
  readonly containers?: Partial<SlipwayApi["containers"]>;
  readonly volumes?: Partial<SlipwayApi["volumes"]>;
  readonly networks?: Partial<SlipwayApi["networks"]>;
  readonly system?: Partial<SlipwayApi["system"]>;
  readonly builders?: Partial<SlipwayApi["builders"]>;
  readonly transfer?: Partial<SlipwayApi["transfer"]>;
  readonly debug?: Partial<SlipwayApi["debug"]>;
  readonly accounts?: Partial<SlipwayApi["accounts"]>;
  readonly trust?: Partial<SlipwayApi["trust"]>;
  readonly policy?: Partial<SlipwayApi["policy"]>;
  readonly packages?: Partial<SlipwayApi["packages"]>;
}

export interface World {
  readonly engine?: EngineParts;
  /** a whole engine in the place of parts; whoever gives it closes it */
  readonly open?: () => Promise<SlipwayApi>;
  readonly stdin?: string | Uint8Array;
  /** receives standard output where it is no text; the outcome's is empty then */
  readonly onStdout?: (bytes: Uint8Array) => void;
  readonly stdinIsTTY?: boolean;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** hears what `--authfile` says */
  readonly onAuthFile?: (file: string) => void;
  readonly nowMs?: number;
  readonly debug?: boolean;
}

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function createOutput(world: World, onBytes?: (bytes: Uint8Array) => void): { readonly output: Output; text(): string } {
  const chunks: Buffer[] = [];
  const keep = onBytes ?? ((bytes) => void chunks.push(Buffer.from(bytes)));
  const write = (data: string | Uint8Array): void => keep(Buffer.from(data as Uint8Array));
  return {
    output: { write, writeSlowly: async (data) => write(data), isTTY: world.isTTY ?? false, columns: world.columns ?? 80, rows: 24 },
    text: () => Buffer.concat(chunks).toString(),
  };
}

async function* bytesOf(input: string | Uint8Array): AsyncIterable<Uint8Array> {
  if (input.length > 0) yield Buffer.from(input as Uint8Array);
}

function missing(part: string): () => never {
  return () => {
    throw new Error(`the test has no ${part}`);
  };
}

function engineFrom(parts: EngineParts): SlipwayApi {
  const group = (given: object | undefined, name: string): object =>
    new Proxy(given ?? {}, { get: (target, key) => Reflect.get(target, key) ?? (key === "then" ? undefined : missing(`${name}.${String(key)}`)) });
  return {
    build: parts.build ?? missing("build"),
    check: parts.check ?? missing("check"),
    outline: parts.outline ?? missing("outline"),
    targets: parts.targets ?? missing("targets"),
    lock: parts.lock ?? missing("lock"),
    buildTwice: parts.buildTwice ?? missing("buildTwice"),
    images: group(parts.images, "images") as SlipwayApi["images"],
    containers: group(parts.containers, "containers") as SlipwayApi["containers"],
    volumes: group(parts.volumes, "volumes") as SlipwayApi["volumes"],
    networks: group(parts.networks, "networks") as SlipwayApi["networks"],
    system: group(parts.system, "system") as SlipwayApi["system"],
    builders: group(parts.builders, "builders") as SlipwayApi["builders"],
    transfer: group(parts.transfer, "transfer") as SlipwayApi["transfer"],
    debug: group(parts.debug, "debug") as SlipwayApi["debug"],
    accounts: group(parts.accounts, "accounts") as SlipwayApi["accounts"],
    trust: group(parts.trust, "trust") as SlipwayApi["trust"],
    policy: group(parts.policy, "policy") as SlipwayApi["policy"],
    packages: group(parts.packages, "packages") as SlipwayApi["packages"],
    close: async () => undefined,
  };
}

/** Runs one command line behind the global flags. */
export async function runInMemory(words: readonly string[], world: World = {}): Promise<Outcome> {
  const stdout = createOutput(world, world.onStdout);
  const stderr = createOutput(world);
  const cli: Cli = {
    stdin: { isTTY: world.stdinIsTTY ?? false, chunks: bytesOf(world.stdin ?? ""), setRaw: () => undefined, close: () => undefined },
    stdout: stdout.output,
    stderr: stderr.output,
    // not the files of whoever runs the tests
    env: { HOME: "/nonexistent", ...world.env },
    cwd: world.cwd ?? "/",
    signal: new AbortController().signal,
    debug: world.debug ?? false,
    root: undefined,
    now: () => world.nowMs ?? Date.parse("2026-11-23T09:42:36Z"),
    usePolicy: () => undefined,
    useAuthFile: (file) => world.onAuthFile?.(file),
    open: world.open ?? (async () => engineFrom(world.engine ?? {})),
    accounts: async () => engineFrom(world.engine ?? {}).accounts,
    onSignal: () => () => undefined,
    onResize: () => () => undefined,
    onExit: () => () => undefined,
  };
  const code = await runWords(commandTable, cli, { help: false, deprecatedHelp: false, words });
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}
