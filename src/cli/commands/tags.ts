/** `tags`: the tags of a repository, as its registry lists them. */
import { posix } from "node:path";
import type { Handler } from "../command.ts";
import { cliError } from "../failure.ts";
import { formatJsonLine } from "../json.ts";

/** Fails with USAGE for anything but json. */
export function jsonAsked(format: string): boolean {
  if (format === "" || format === "json") return format === "json";
  throw cliError(`invalid --format ${JSON.stringify(format)}: only "json" is known here`);
}

export const runTags: Handler = async (cli, { flags, args }) => {
  const json = jsonAsked(flags.string("format"));
  const patterns = flags.list("filter");
  const limit = flags.number("limit") ?? Infinity;
  if (limit < 0) throw cliError("--limit is below 0");
  const engine = await cli.open();
  const all = await engine.transfer.tags(args[0]!, { signal: cli.signal });
  const tags = all.filter((tag) => patterns.length === 0 || patterns.some((pattern) => posix.matchesGlob(tag, pattern))).slice(0, limit);
  cli.stdout.write(json ? `${formatJsonLine(tags)}\n` : tags.map((tag) => `${tag}\n`).join(""));
  return 0;
};
