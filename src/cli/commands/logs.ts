/** `logs`: what a container wrote, on the stream that it wrote to. */
import type { Handler } from "../command.ts";
import { cliError } from "../failure.ts";
import { parseTimestamp } from "../units.ts";

function parseTail(text: string): number | undefined {
  if (text === "all" || text.startsWith("-")) return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  throw cliError(`invalid argument ${JSON.stringify(text)} for "-n, --tail": not a number`);
}

export const runLogs: Handler = async (cli, { flags, args }) => {
  const tail = parseTail(flags.string("tail"));
  const since = flags.optional("since");
  const until = flags.optional("until");
  const engine = await cli.open();
  const lines = engine.containers.logs(args[0]!, {
    follow: flags.bool("follow"),
    signal: cli.signal,
    ...(tail === undefined ? {} : { tail }),
    ...(since === undefined ? {} : { sinceMs: parseTimestamp(since, cli.now()) }),
    ...(until === undefined ? {} : { untilMs: parseTimestamp(until, cli.now()) }),
  });
  const timestamps = flags.bool("timestamps");
  for await (const line of lines) {
    const output = line.stream === 2 ? cli.stderr : cli.stdout;
    output.write(timestamps ? Buffer.concat([Buffer.from(`${line.timestamp} `), line.data]) : line.data);
  }
  return 0;
};
