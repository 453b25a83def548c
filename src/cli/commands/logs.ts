/** `logs`: what a container wrote, on the stream that it wrote to. */
import type { Handler } from "../command.ts";
import { asSlipwayError } from "../../base/errors.ts";
import type { Cli } from "../cli.ts";
import { cliError } from "../failure.ts";
import type { ParsedFlags } from "../flags.ts";
import { parseTimestamp } from "../units.ts";

/** Docker takes everything that is no number for "all". */
function parseTail(text: string): number | undefined {
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

function parseMoment(cli: Cli, flags: ParsedFlags, name: "since" | "until"): number | undefined {
  const text = flags.optional(name);
  if (text === undefined || text === "") return undefined;
  try {
    return parseTimestamp(text, cli.now());
  } catch (error) {
    throw cliError(`invalid value for "${name}": ${asSlipwayError(error).message}`, "USAGE", {}, error);
  }
}

export const runLogs: Handler = async (cli, { flags, args }) => {
  const tail = parseTail(flags.string("tail"));
  const since = parseMoment(cli, flags, "since");
  const until = parseMoment(cli, flags, "until");
  const engine = await cli.open();
  const lines = engine.containers.logs(args[0]!, {
    follow: flags.bool("follow"),
    signal: cli.signal,
    ...(tail === undefined ? {} : { tail }),
    ...(since === undefined ? {} : { sinceMs: since }),
    ...(until === undefined ? {} : { untilMs: until }),
  });
  const timestamps = flags.bool("timestamps");
  // where Docker puts a log driver's attributes: there are none
  const details = flags.bool("details") ? " " : "";
  using output = new BatchedOutput(cli);
  for await (const line of lines) {
    const prefix = `${timestamps ? `${line.timestamp} ` : ""}${details}`;
    if (prefix !== "") output.push(line.stream, Buffer.from(prefix));
    output.push(line.stream, line.data);
  }
  return 0;
};

const batchBytes = 65_536;

/** A call of the system for each line would cost more than reading the log: lines that come together are written together. */
class BatchedOutput implements Disposable {
  readonly #cli: Cli;
  #parts: Uint8Array[] = [];
  #bytes = 0;
  #stream: 1 | 2 = 1;
  #waiting: NodeJS.Immediate | undefined;

  constructor(cli: Cli) {
    this.#cli = cli;
  }

  push(stream: 1 | 2, data: Uint8Array): void {
    if (stream !== this.#stream || this.#bytes >= batchBytes) this.#flush();
    this.#stream = stream;
    this.#parts.push(data);
    this.#bytes += data.length;
    // as soon as no further line is at hand
    this.#waiting ??= setImmediate(() => this.#flush());
  }

  #flush(): void {
    if (this.#waiting !== undefined) clearImmediate(this.#waiting);
    this.#waiting = undefined;
    const parts = this.#parts;
    [this.#parts, this.#bytes] = [[], 0];
    if (parts.length > 0) (this.#stream === 2 ? this.#cli.stderr : this.#cli.stdout).write(Buffer.concat(parts));
  }

  [Symbol.dispose](): void {
    this.#flush();
  }
}
