/** `copy`: images from one place to another. Progress goes to standard error, the digest to standard output. */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { CopyEvent, CopyOptions } from "../../engine/api.ts";
import type { Cli } from "../cli.ts";
import type { Handler } from "../command.ts";
import { cliError } from "../failure.ts";
import type { ParsedFlags } from "../flags.ts";
import { formatSize } from "../units.ts";
import { accessTo } from "./copy-access.ts";
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

async function copyShown(cli: Cli, quiet: boolean, source: string, target: string, options: CopyOptions): Promise<string> {
  const engine = await cli.open();
  const task = engine.transfer.copy(source, target, { ...options, cwd: cli.cwd, env: cli.env, signal: cli.signal });
  task.result.catch(() => undefined);
  if (!quiet) for await (const event of task) showCopyEvent(cli, event);
  const { digest } = await task.result;
  cli.stdout.write(`${digest}\n`);
  return digest;
}

export const runCopy: Handler = async (cli, { flags, args }) => {
  const all = flags.bool("all");
  const platform = platformOption(flags);
  if (all && platform.platform !== undefined) throw cliError("--all and --platform exclude each other");
  const attestations = flags.string("attestations");
  if (attestations !== "index" && attestations !== "referrers" && attestations !== "none")
    throw cliError(`invalid --attestations ${JSON.stringify(attestations)}: index, referrers or none`);
  const referrers = flags.bool("referrers") || flags.bool("signatures");
  const [from, to] = [args[0]!, args[1]!];
  const [source, target] = [accessTo(cli, flags, "src", from), accessTo(cli, flags, "dest", to)];
  const access = { ...(source === undefined ? {} : { source }), ...(target === undefined ? {} : { target }) };
  const digest = await copyShown(cli, flags.bool("quiet"), from, to, { all, referrers, attestations, ...platform, ...access });
  if (flags.string("digestfile") !== "") writeFileSync(resolve(cli.cwd, flags.string("digestfile")), digest);
  return 0;
};

/** `push ssh://[user@]host[:port]/name:tag`: the image of that name here, into the store there. */
export async function pushOverSsh(cli: Cli, flags: ParsedFlags, target: string): Promise<number> {
  const name = /^ssh:\/\/[^/]+\/(.+)$/.exec(target)?.[1];
  if (name === undefined) throw cliError("want ssh://[user@]host[:port]/name[:tag]");
  await copyShown(cli, flags.bool("quiet"), `store:${name}`, target, platformOption(flags));
  return 0;
}
