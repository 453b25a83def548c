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
  for await (const line of lines) {
    const output = line.stream === 2 ? cli.stderr : cli.stdout;
    const prefix = `${timestamps ? `${line.timestamp} ` : ""}${details}`;
    output.write(prefix === "" ? line.data : Buffer.concat([Buffer.from(prefix), line.data]));
  }
  return 0;
};
