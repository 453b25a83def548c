/** `rmi`: takes names away, and images with their last name. */
import type { RemoveLine } from "../../engine/api.ts";
import type { Handler } from "../command.ts";
import { forEachWord } from "./each.ts";
import { checkPlatform } from "./platform-flag.ts";

export function formatRemoveLine(line: RemoveLine): string {
  return "untagged" in line ? `Untagged: ${line.untagged}\n` : `Deleted: ${line.deleted}\n`;
}

export const runRmi: Handler = async (cli, { flags, args }) => {
  const platforms = flags.list("platform").flatMap((word) => word.split(","));
  for (const platform of platforms) checkPlatform(platform);
  const engine = await cli.open();
  const force = flags.bool("force");
  const failed = await forEachWord(
    cli,
    args,
    (ref) => {
      for (const line of engine.images.remove(ref, { force, noPrune: flags.bool("no-prune"), platforms })) cli.stdout.write(formatRemoveLine(line));
    },
    { forgive: (error) => force && error.kind === "not_found" },
  );
  return failed.length > 0 ? 1 : 0;
};
