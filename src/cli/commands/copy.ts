/** `copy`: images from one place to another. Progress goes to standard error, the digest to standard output. */
import type { CopyEvent } from "../../engine/api.ts";
import type { Cli } from "../cli.ts";
import type { Handler } from "../command.ts";
import { cliError } from "../failure.ts";
import { formatSize } from "../units.ts";
import { platformOption } from "./platform-flag.ts";

const words: Readonly<Record<Exclude<CopyEvent["status"], "copying">, string>> = {
  copied: "done",
  exists: "skipped: already there",
  mounted: "mounted from another repository",
  written: "done",
};

/** skopeo's lines; on a terminal the blob that moves has a line that counts. */
function showCopyEvent({ stderr }: Cli, { kind, digest, status, currentBytes, sizeBytes }: CopyEvent): void {
  const line = `Copying ${kind} ${digest.slice(0, 19)}`;
  if (status !== "copying")
    stderr.write(`${stderr.isTTY ? "\r\u001B[K" : ""}${line} ${words[status]}${status === "copied" ? ` (${formatSize(sizeBytes, 3)})` : ""}\n`);
  else if (stderr.isTTY) stderr.write(`\r\u001B[K${line} ${formatSize(currentBytes, 3)} / ${formatSize(sizeBytes, 3)}`);
}

export const runCopy: Handler = async (cli, { flags, args }) => {
  const all = flags.bool("all");
  const platform = platformOption(flags);
  if (all && platform.platform !== undefined) throw cliError("--all and --platform exclude each other");
  const engine = await cli.open();
  const task = engine.transfer.copy(args[0]!, args[1]!, {
    all,
    referrers: flags.bool("referrers") || flags.bool("signatures"),
    cwd: cli.cwd,
    signal: cli.signal,
    ...platform,
  });
  task.result.catch(() => undefined);
  if (!flags.bool("quiet")) for await (const event of task) showCopyEvent(cli, event);
  cli.stdout.write(`${(await task.result).digest}\n`);
  return 0;
};
