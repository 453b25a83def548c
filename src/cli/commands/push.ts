/** `push`: Docker's lines while it runs. */
import { SlipwayError } from "../../base/errors.ts";
import { formatReference, parseReference, withDefaultTag } from "../../oci/index.ts";
import type { Cli } from "../cli.ts";
import type { Handler } from "../command.ts";
import type { ParsedFlags } from "../flags.ts";
import { cliError } from "../failure.ts";
import { pushOverSsh } from "./copy.ts";
import { checkPlatform } from "./platform-flag.ts";
import { showTransfer, transferMode } from "./pull-display.ts";

const platformNotice = `
 Info -> Using --platform pushes only the specified platform manifest of a multi-platform image index.
         Other components, like attestations, will not be included.
         To push the complete multi-platform image, remove the --platform flag.
         
`;

function partNotice({ stdout, env }: Cli, from: string, to: string): string {
  const paint = (text: string, color: number): string => (stdout.isTTY && (env["NO_COLOR"] ?? "") === "" ? `\u001b[${color}m${text}\u001b[0m` : text);
  const what = "Not all multiplatform-content is present and only the available single-platform image was pushed";
  return `\n Info -> ${what}\n         ${paint(from, 31)} -> ${paint(to, 32)}\n`;
}

export const runPush: Handler = async (cli, { flags, args }) => {
  const name = args[0]!;
  if (name.startsWith("ssh://")) return await pushOverSsh(cli, flags, name);
  const mode = transferMode(flags, cli.stdout);
  const text = mode === "tty" || mode === "plain";
  const platform = flags.string("platform");
  if (platform !== "") {
    checkPlatform(platform, `Invalid platform ${platform}`, { bare: true, exitCode: 1 });
    if (mode !== "json") cli.stdout.write(platformNotice);
  }
  const parsed = parseReference(name);
  const allTags = flags.bool("all-tags");
  if (text && !allTags && parsed.tag === undefined && parsed.digest === undefined) cli.stdout.write("Using default tag: latest\n");
  const engine = await cli.open();
  const task = engine.images.push(name, {
    allTags,
    nondistributable: flags.bool("allow-nondistributable-artifacts"),
    signal: cli.signal,
    ...(platform === "" ? {} : { platform }),
    ...compressionOf(flags),
  });
  const { digest, sizeBytes, partOf } = await showTransfer(cli.stdout, mode, task).catch(throwBare);
  if (partOf !== undefined && text) cli.stdout.write(partNotice(cli, partOf, digest));
  if (mode === "quiet") cli.stdout.write(`${formatReference(allTags ? parsed : withDefaultTag(parsed))}\n`);
  if (mode === "json") cli.stdout.write(`${JSON.stringify({ progressDetail: {}, aux: { Tag: parsed.tag ?? "latest", Digest: digest, Size: sizeBytes } })}\n`);
  return 0;
};

/** Docker prints what goes wrong on the way without a word before it. */
function throwBare(error: unknown): never {
  if (!(error instanceof SlipwayError)) throw error;
  throw new SlipwayError(error.kind, error.code, error.message, { ...error.details, bare: true }, error.cause);
}

function compressionOf(flags: ParsedFlags): {
  readonly compression?: { readonly type: "gzip" | "zstd" | "estargz" | "uncompressed"; readonly force: boolean };
} {
  const type = flags.string("compression");
  if (type === "") return {};
  if (type !== "gzip" && type !== "zstd" && type !== "estargz" && type !== "uncompressed")
    throw cliError(`invalid compression "${type}": gzip, zstd, estargz or uncompressed`, "USAGE", { bare: true, exitCode: 1 });
  return { compression: { type, force: true } };
}
