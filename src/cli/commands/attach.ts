/** The terminal side of a running container: its streams joined to ours, raw mode, window size, signals handed on. */
import type { AttachStreams, SlipwayApi } from "../../engine/api.ts";
import type { Cli } from "../cli.ts";
import { untilDetached } from "../detach-keys.ts";
import { cliError } from "../failure.ts";

export interface AttachOptions {
  readonly tty: boolean;
  readonly interactive: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** hand signals on to the container */
  readonly signalProxy: boolean;
  /** of --detach-keys; they count where the container has a terminal and ours is fed to it */
  readonly detachKeys: Uint8Array;
  readonly onCreated?: (id: string) => void;
}

/** What Docker says, and ends with 1, when keys leave an `attach` or `exec`; a `run` or `start` that is left says nothing. */
export function leftByKeys(): Error {
  return cliError("read escape sequence", "DETACHED");
}

/** Docker's check before a container with a terminal is fed from something that is none: NOT_A_TERMINAL. */
export function checkTerminal(cli: Cli, options: { readonly tty: boolean; readonly interactive: boolean }): void {
  if (options.tty && options.interactive && !cli.stdin.isTTY) throw cliError("the input device is not a TTY", "NOT_A_TERMINAL");
}

const proxied: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGCONT"];

function proxySignals(cli: Cli, engine: SlipwayApi, id: string): () => void {
  return cli.onSignal(proxied, (name) => {
    // the container may have ended meanwhile
    engine.containers.kill(id, name).catch(() => undefined);
  });
}

function streamsOf(cli: Cli, options: AttachOptions, onCreated: (id: string) => void): AttachStreams {
  const sized = options.tty && cli.stdout.isTTY;
  const leaving = new AbortController();
  const stdin = options.tty ? untilDetached(cli.stdin.chunks, options.detachKeys, () => leaving.abort()) : cli.stdin.chunks;
  return {
    detach: leaving.signal,
    onCreated,
    onOutput: (stream, data) => {
      if (stream === 1 && options.stdout) cli.stdout.write(data);
      if (stream === 2 && options.stderr) cli.stderr.write(data);
    },
    ...(options.interactive ? { stdin } : {}),
    ...(sized
      ? {
          terminalSize: { rows: cli.stdout.rows, columns: cli.stdout.columns },
          onResize: (listener) => cli.onResize(() => listener(cli.stdout.rows, cli.stdout.columns)),
        }
      : {}),
  };
}

/** Runs `act` with the streams joined; terminal mode and signals are as before when it ends, by whatever way. */
export async function withAttached<Result>(
  cli: Cli,
  engine: SlipwayApi,
  options: AttachOptions,
  act: (streams: AttachStreams) => Promise<Result>,
): Promise<Result> {
  const undo: (() => void)[] = [];
  const raw = options.tty && options.interactive && cli.stdin.isTTY;
  const onCreated = (id: string): void => {
    options.onCreated?.(id);
    if (options.signalProxy) undo.push(proxySignals(cli, engine, id));
  };
  try {
    if (raw) {
      cli.stdin.setRaw(true);
      undo.push(
        () => cli.stdin.setRaw(false),
        cli.onExit(() => cli.stdin.setRaw(false)),
      );
    }
    return await act(streamsOf(cli, options, onCreated));
  } finally {
    for (const step of undo) step();
  }
}
