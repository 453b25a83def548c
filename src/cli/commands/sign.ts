/** `sign`: a line for every signature, with the digest that was signed at the end. */
import type { SignOptions, SignResult } from "../../engine/api.ts";
import type { Cli } from "../cli.ts";
import type { Handler } from "../command.ts";
import { cliError } from "../failure.ts";
import { annotationsFrom } from "./key-value.ts";
import { signatureRepository } from "./signature-repository.ts";
import { signerOptions, urlOf } from "./signer-options.ts";
import { readSmallFile } from "./small-file.ts";

const cosignFormats = ["bundle", "legacy"] as const;
const notationFormats = ["jws", "cose"] as const;

/** Which of the known formats `--signature-format` names; absent: the engine's own choice. Fails with USAGE. */
export function formatsOf<Format extends string>(words: readonly string[], knownFormats: readonly Format[]): { readonly formats?: readonly Format[] } {
  if (words.length === 0) return {};
  const formats = words.flatMap((word) => word.split(","));
  const unknown = formats.find((word) => !knownFormats.some((one) => one === word));
  if (unknown !== undefined) throw cliError(`unknown --signature-format ${JSON.stringify(unknown)}: want ${knownFormats.join(", ")}`);
  return { formats: knownFormats.filter((one) => formats.includes(one)) };
}

/** What was written, a line each, aside. */
export function tellSigned(cli: Cli, { images }: SignResult, tag = ".sig"): void {
  for (const { digest, platform, signatures } of images) {
    const of = platform === "" ? digest : `${digest} (${platform})`;
    for (const { format, manifest, existed } of signatures) {
      cli.stderr.write(`${of}: ${format === "legacy" ? `tag ${tag}` : format} ${existed ? "was there already" : "written"} (${manifest})\n`);
    }
  }
}

export function showSigned(cli: Cli, result: SignResult, quiet: boolean, tag?: string): void {
  if (!quiet) tellSigned(cli, result, tag);
  cli.stdout.write(`${result.reference}\n`);
}

export const runSign: Handler = async (cli, { flags, args }) => {
  const notation = flags.bool("notation");
  const cert = flags.optional("cert");
  if (notation && cert === undefined) throw cliError("--notation wants --cert, the file of the key's certificate and its issuers");
  if (!notation && cert !== undefined) throw cliError("--cert wants --notation: other signatures are made with the key alone");
  const words = flags.list("signature-format");
  if (notation && flags.bool("keyless")) throw cliError("--notation wants --key and --cert");
  const options: SignOptions = {
    ...signerOptions(cli, flags, notation ? ["timestamp-server-url"] : []),
    ...(notation && flags.optional("timestamp-server-url") !== undefined ? { timestampUrl: urlOf(flags, "timestamp-server-url") } : {}),
    ...(cert === undefined ? {} : { certificates: { pem: readSmallFile(cli, cert), name: cert } }),
    annotations: annotationsFrom(flags.list("annotations")),
    recursive: flags.bool("recursive"),
    ...signatureRepository(cli, flags),
    ...(notation ? formatsOf(words, notationFormats) : formatsOf(words, cosignFormats)),
    signal: cli.signal,
  };
  const engine = await cli.open();
  for (const image of args) showSigned(cli, await engine.trust.sign(image, options), flags.bool("quiet"));
  return 0;
};
