/** `attest` signs a statement about an image; `attestations` lists what is attested, or prints what somebody who is trusted attested. */
import { printable } from "../../base/printable.ts";
import type { AttestOptions, ListedAttestation, VerifyAttestationOptions } from "../../engine/api.ts";
import type { Cli } from "../cli.ts";
import type { Handler } from "../command.ts";
import { cliError } from "../failure.ts";
import type { ParsedFlags } from "../flags.ts";
import { formatJsonLine } from "../json.ts";
import { alignColumns } from "../table.ts";
import { formatSize } from "../units.ts";
import { identityOptions, signerNames } from "./identity-options.ts";
import { signatureRepository } from "./signature-repository.ts";
import { signerOptions } from "./signer-options.ts";
import { formatsOf, showSigned } from "./sign.ts";
import { readSmallBytes, readStdin } from "./small-file.ts";
import { outputForm } from "./output-form.ts";
import { keySources } from "./key-sources.ts";
import { withAbsentCode } from "./verify.ts";

const maxPredicateBytes = 45 << 20;

export const runAttest: Handler = async (cli, { flags, args }) => {
  const [type, file] = [flags.optional("type"), flags.optional("predicate")];
  if (type === undefined) throw cliError("--type says what kind of statement it is: spdxjson, cyclonedx, slsaprovenance1, openvex, vuln or a URI");
  if (file === undefined) throw cliError("--predicate names the JSON file with the statement");
  const options: AttestOptions = {
    ...signerOptions(cli, flags),
    type,
    predicate: file === "-" ? await readStdin(cli, maxPredicateBytes) : readSmallBytes(cli, file, maxPredicateBytes),
    predicateName: file === "-" ? "standard input" : file,
    recursive: flags.bool("recursive"),
    ...signatureRepository(cli, flags),
    ...formatsOf(flags.list("signature-format"), ["bundle", "legacy"]),
    signal: cli.signal,
  };
  const engine = await cli.open();
  for (const image of args) showSigned(cli, await engine.trust.attest(image, options), flags.bool("quiet"), ".att");
  return 0;
};

export const runAttestations: Handler = async (cli, { flags, args: [image = ""] }) => {
  const form = outputForm(flags);
  const type = flags.optional("type");
  const identity = identityOptions(cli, flags, signerNames);
  if (flags.list("key").length > 0 || identity !== undefined) return await printVerified(cli, image, flags, identity ?? {});
  if (type !== undefined) throw cliError("--type wants --key or --identity: what nobody verified is listed only");
  const engine = await cli.open();
  const listed = await engine.trust.attestations(image, { ...signatureRepository(cli, flags), signal: cli.signal });
  cli.stdout.write(form === "json" ? `${formatJsonLine(listed)}\n` : listText(listed.attestations));
  for (const why of listed.unread) cli.stderr.write(printable(`Not all was looked at: ${why}\n`));
  return 0;
};

/** The predicates alone, a line each, as programs read them. */
async function printVerified(
  cli: Cli,
  image: string,
  flags: ParsedFlags,
  identity: Pick<VerifyAttestationOptions, "identities" | "trustedRoot">,
): Promise<number> {
  const type = flags.optional("type");
  const engine = await cli.open();
  const options = { keys: keySources(cli, flags), ...identity, ...signatureRepository(cli, flags), repositories: flags.list("repository"), signal: cli.signal };
  const verified = await attempt(() => engine.trust.verifyAttestations(image, { ...options, ...(type === undefined ? {} : { type }) }));
  // the same statement may lie there in two formats
  const lines = new Set(verified.attestations.map(({ predicate }) => JSON.stringify(predicate)));
  for (const line of lines) cli.stdout.write(`${line}\n`);
  return 0;
}

async function attempt<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw withAbsentCode(error);
  }
}

function listText(attestations: readonly ListedAttestation[]): string {
  const rows = attestations.map(({ format, manifest, predicateType, sizeBytes }) => {
    return [printable(predicateType ?? "(unreadable)").replace(/[\t\n]/g, " "), format, formatSize(sizeBytes, 3), manifest];
  });
  return alignColumns([["TYPE", "FORMAT", "SIZE", "MANIFEST"], ...rows].map((cells) => `${cells.join("\t")}\n`).join(""));
}
