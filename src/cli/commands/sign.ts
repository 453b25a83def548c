/** `sign`: a line for every signature, with the digest that was signed at the end. */
import type { SignOptions, SignResult } from "../../engine/api.ts";
import type { Cli } from "../cli.ts";
import type { Handler } from "../command.ts";
import { cliError } from "../failure.ts";
import type { ParsedFlags } from "../flags.ts";
import { recordFrom } from "./key-value.ts";
import { keyPassword } from "./key-password.ts";
import { readSmallFile } from "./small-file.ts";

const knownFormats = ["bundle", "legacy"] as const;

export function formatsOf(words: readonly string[]): Pick<SignOptions, "formats"> {
  if (words.length === 0) return {};
  const formats = words.flatMap((word) => word.split(","));
  const unknown = formats.find((word) => !knownFormats.some((one) => one === word));
  if (unknown !== undefined) throw cliError(`unknown --signature-format ${JSON.stringify(unknown)}: want ${knownFormats.join(", ")}`);
  return { formats: knownFormats.filter((one) => formats.includes(one)) };
}

/** The private key that `--key` names. Its password is asked for when the file is there, once for all images. */
export function keySource(cli: Cli, flags: ParsedFlags): SignOptions["key"] {
  const name = flags.optional("key");
  if (name === undefined) throw cliError("--key names the private key to sign with; slipway key generate makes one");
  let known: Promise<Uint8Array> | undefined;
  return { pem: readSmallFile(cli, name), name, password: () => (known ??= keyPassword(cli, name)) };
}

export function showSigned(cli: Cli, { images, reference }: SignResult, quiet: boolean, tag = ".sig"): void {
  for (const { digest, platform, signatures } of quiet ? [] : images) {
    const of = platform === "" ? digest : `${digest} (${platform})`;
    for (const { format, manifest, existed } of signatures) {
      cli.stderr.write(`${of}: ${format === "legacy" ? `tag ${tag}` : format} ${existed ? "was there already" : "written"} (${manifest})\n`);
    }
  }
  cli.stdout.write(`${reference}\n`);
}

export const runSign: Handler = async (cli, { flags, args }) => {
  const options: SignOptions = {
    key: keySource(cli, flags),
    annotations: recordFrom(flags.list("annotations")),
    recursive: flags.bool("recursive"),
    ...formatsOf(flags.list("signature-format")),
    signal: cli.signal,
  };
  const engine = await cli.open();
  for (const image of args) showSigned(cli, await engine.trust.sign(image, options), flags.bool("quiet"));
  return 0;
};
