/**
 * Taking part in a running container. Its output is followed in the log, where every byte stands with its stream; its input goes to the
 * monitor's socket, which is of a kind (SOCK_SEQPACKET) that Node cannot open: a small relay carries it.
 */
import type { ChildProcess } from "node:child_process";
import { statSync } from "node:fs";
import { SlipwayError } from "../base/errors.ts";
import { notRunning, requireContainer } from "./container-errors.ts";
import { containerFiles, type ContainerHost } from "./container-host.ts";
import { holdAsReader } from "./container-lock.ts";
import { isRunningCheck, readEntries } from "./container-logs.ts";
import type { ContainerRecord } from "./container-records.ts";
import { containerState } from "./container-state.ts";
import { isUp } from "./container-status.ts";
import { findProgram } from "./programs.ts";

export interface OutputPiece {
  readonly stream: 1 | 2;
  readonly data: Uint8Array;
}

export interface Attachment {
  /** output from the moment of attaching (or from the start, when attached with it); ends with the container or with detach() */
  readonly output: AsyncIterable<OutputPiece>;
  /** To the container's stdin. STDIN_CLOSED (failed_precondition) when it has none open. Resolves when the next chunk may come. */
  write(data: Uint8Array): Promise<void>;
  /** The container reads the end of its input. */
  closeStdin(): void;
  /** Leaves the container running. */
  detach(): void;
}

/** CONTAINER_NOT_FOUND, CONTAINER_NOT_RUNNING. */
export function attachContainer(host: ContainerHost, nameOrId: string): Attachment {
  const record = requireContainer(host.records, nameOrId);
  if (!isUp(containerState(host, record))) throw notRunning(record);
  return attachToLog(host, record, undefined);
}

/** `logOffset`: where in the log the output begins; absent: at its present end. */
export function attachToLog(host: ContainerHost, record: ContainerRecord, logOffset: number | undefined): Attachment {
  const files = containerFiles(host, record);
  return attachToMonitor({
    log: files.log,
    from: logOffset ?? statSync(files.log, { throwIfNoEntry: false })?.size ?? 0,
    isRunning: isRunningCheck(host, record.id),
    inputDirectory: record.config.openStdin ? files.bundle : undefined,
    readersDirectory: record.paths.directory,
  });
}

export interface MonitoredStreams {
  readonly log: string;
  readonly from: number;
  readonly isRunning: () => boolean;
  /** where the monitor's socket "attach" is; undefined where stdin is closed */
  readonly inputDirectory: string | undefined;
  /** held as a reader until the output's end */
  readonly readersDirectory: string;
}

export function attachToMonitor(streams: MonitoredStreams): Attachment {
  const leaving = new AbortController();
  const input = streams.inputDirectory === undefined ? undefined : new InputRelay(streams.inputDirectory);
  return {
    output: readOutput(streams, leaving.signal),
    write: (data) => {
      if (input === undefined) throw new SlipwayError("failed_precondition", "STDIN_CLOSED", "the container was started without an open stdin (-i)");
      return input.write(data);
    },
    closeStdin: () => input?.end(),
    detach: () => {
      leaving.abort();
      input?.destroy();
    },
  };
}

/** What one read of the log gave comes in as few pieces as its streams allow. */
async function* readOutput({ log, from, isRunning, readersDirectory }: MonitoredStreams, signal: AbortSignal): AsyncGenerator<OutputPiece, void> {
  using _ = holdAsReader(readersDirectory);
  for await (const entries of readEntries(log, { from, isRunning, signal })) {
    for (let start = 0, end = 0; start < entries.length; start = end) {
      const stream = entries[start]?.stream ?? 1;
      while (entries[end]?.stream === stream) end++;
      yield { stream, data: Buffer.concat(entries.slice(start, end).map((entry) => entry.data)) };
    }
  }
}

/** Copies its stdin to the socket "attach" of the current directory, and throws away what comes back. */
const perlRelay = `use Socket; $SIG{PIPE} = 'IGNORE';
my $s;
socket($s, AF_UNIX, SOCK_SEQPACKET, 0) && connect($s, pack_sockaddr_un('attach')) or exit 1;
my $open = 1;
while (1) {
  my $r = ''; vec($r, fileno($s), 1) = 1; vec($r, 0, 1) = 1 if $open;
  select($r, undef, undef, undef) < 0 and next;
  if (vec($r, fileno($s), 1)) { my $n = sysread($s, my $b, 65536); exit 0 if !$n; }
  if ($open && vec($r, 0, 1)) {
    my $n = sysread(STDIN, my $b, 8192);
    if ($n) { syswrite($s, $b) or exit 0 } else { shutdown($s, 1); $open = 0 }
  }
}`;

class InputRelay {
  readonly #child: ChildProcess;

  constructor(directory: string) {
    this.#child = startRelay(directory);
    this.#child.stdin?.on("error", () => undefined);
    this.#child.on("error", () => undefined);
  }

  write(data: Uint8Array): Promise<void> {
    const stdin = this.#child.stdin;
    if (stdin === null || stdin.destroyed || stdin.write(data)) return Promise.resolve();
    return new Promise((resolve) => {
      const go = (): void => {
        stdin.off("drain", go).off("close", go);
        resolve();
      };
      stdin.on("drain", go).on("close", go);
    });
  }

  end(): void {
    this.#child.stdin?.end();
  }

  destroy(): void {
    this.#child.kill("SIGKILL");
  }
}

/** INPUT_RELAY_MISSING (failed_precondition) where there is neither perl nor socat. */
function startRelay(directory: string): ChildProcess {
  const { spawn } = process.getBuiltinModule("node:child_process");
  const settings = { cwd: directory, stdio: ["pipe", "ignore", "ignore"] as ["pipe", "ignore", "ignore"] };
  const perl = findProgram("perl");
  if (perl !== undefined) return spawn(perl, ["-e", perlRelay], settings);
  const socat = findProgram("socat");
  if (socat !== undefined) return spawn(socat, ["-t", "2147483", "STDIN!!OPEN:/dev/null", "UNIX-CONNECT:attach,type=5"], settings);
  throw new SlipwayError(
    "failed_precondition",
    "INPUT_RELAY_MISSING",
    "input to a container (-i) needs perl or socat, and neither is installed; install one with: apt-get install -y socat",
    {
      install: "apt-get install -y socat",
    },
  );
}
