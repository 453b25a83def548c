/**
 * What a command sees of the world around it: streams, environment, clock and the engine. Commands get it as an argument,
 * so that a test runs them with streams in memory and an engine of its own.
 */
import type { SlipwayApi } from "../engine/api.ts";
import type { AccountApi } from "../engine/registry-api.ts";
import type { Renderer } from "./progress/renderer.ts";

export interface Output {
  write(data: string | Uint8Array): void;
  /** Waits while the other side reads slower than we write; for long streams of bytes. */
  writeSlowly(data: Uint8Array): Promise<void>;
  readonly isTTY: boolean;
  /** terminal width; 80 where it is unknown */
  readonly columns: number;
  /** terminal height; 24 where it is unknown */
  readonly rows: number;
}

export interface Input {
  readonly isTTY: boolean;
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Raw mode on a terminal; nothing elsewhere. */
  setRaw(raw: boolean): void;
  /** Stops reading, so that the process can end. */
  close(): void;
}

export interface Cli {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** aborted by the first SIGINT or SIGTERM */
  readonly signal: AbortSignal;
  readonly debug: boolean;
  /** where tasks are shown that are not alone: who has set it ends it, and tells what failed */
  readonly renderer?: Renderer;
  /** the text after `--root` */
  readonly root: string | undefined;
  /** milliseconds since the epoch */
  now(): number;
  /** Opens the store, once; later calls give the same engine. */
  open(): Promise<SlipwayApi>;
  /** What the command's own words say of policies, before the engine is opened. */
  usePolicy(file: string | undefined, overrides: readonly string[]): void;
  /** Credentials are looked for in this file first, and kept in it, from now on. */
  useAuthFile(file: string): void;
  /** Who we are at registries: needs no store. */
  accounts(): Promise<AccountApi>;
  /** Calls the listener for each of these signals instead of aborting; the answer undoes it. */
  onSignal(names: readonly NodeJS.Signals[], listener: (name: NodeJS.Signals) => void): () => void;
  /** Called when the terminal changes its size; the answer undoes it. */
  onResize(listener: () => void): () => void;
  /** Called, synchronously, when the process ends by whatever way but SIGKILL; the answer undoes it. */
  onExit(listener: () => void): () => void;
}
