/** `--attest`, `--provenance`, `--sbom` of `build`, as buildx reads them. */
import type { BuildAttestation, BuildOptions } from "../../engine/api.ts";
import type { Cli } from "../cli.ts";
import { cliError } from "../failure.ts";
import type { ParsedFlags } from "../flags.ts";
import { splitCsv } from "./key-value.ts";

const yes = ["1", "t", "T", "true", "TRUE", "True"];
const no = ["0", "f", "F", "false", "FALSE", "False"];

/** Docker's client prints these without "failed to build". */
function plain(message: string): Error {
  return cliError(message, "USAGE", { plain: true });
}

/** `type=sbom,as=referrer`. Fails with USAGE. */
function parseAttest(text: string): BuildAttestation {
  const attributes: Record<string, string> = {};
  for (const field of splitCsv(text)) {
    const equals = field.indexOf("=");
    if (equals < 0) throw plain(`invalid value ${field}`);
    attributes[field.slice(0, equals).trim().toLowerCase()] = field.slice(equals + 1);
  }
  const { type = "", ...rest } = attributes;
  if (type === "") throw plain("attestation type not specified");
  return { type, attributes: rest };
}

/** A boolean, or what `--attest` takes besides the type. */
function shortForm(type: string, text: string): readonly BuildAttestation[] {
  if (text === "") return [];
  if (yes.includes(text)) return [{ type, attributes: {} }];
  if (no.includes(text)) return [{ type, attributes: { disabled: "true" } }];
  return [parseAttest(`type=${type},${text}`)];
}

function flagOf(cli: Cli, name: string): boolean {
  const text = cli.env[name] ?? "";
  if (text === "") return false;
  if (!yes.includes(text) && !no.includes(text)) throw cliError(`invalid ${name} value ${JSON.stringify(text)}`);
  return yes.includes(text);
}

function vcsOf(cli: Cli): NonNullable<BuildOptions["vcs"]> {
  if (no.includes(cli.env["BUILDX_GIT_INFO"] ?? "")) return "none";
  return flagOf(cli, "BUILDX_GIT_CHECK_DIRTY") ? "dirty" : "revision";
}

/** For `--metadata-file`: BUILDX_METADATA_PROVENANCE, by default the shorter form. */
function metadataOf(cli: Cli, flags: ParsedFlags): Pick<BuildOptions, "metadataProvenance"> {
  const asked = cli.env["BUILDX_METADATA_PROVENANCE"] ?? "";
  if (flags.string("metadata-file") === "" || asked === "disabled" || no.includes(asked)) return {};
  return { metadataProvenance: asked === "max" ? "max" : "min" };
}

/** What is asked for by flags that name images: a provenance names none. */
export function sbomsAsked(flags: ParsedFlags): readonly BuildAttestation[] {
  return [...flags.list("attest").map(parseAttest), ...shortForm("sbom", flags.string("sbom"))];
}

type Attested = Pick<BuildOptions, "attestations" | "noDefaultAttestations" | "vcs" | "metadataProvenance">;

export function attestationOptions(cli: Cli, flags: ParsedFlags): Attested {
  return {
    ...metadataOf(cli, flags),
    attestations: [
      ...flags.list("attest").map(parseAttest),
      ...shortForm("provenance", flags.string("provenance")),
      ...shortForm("sbom", flags.string("sbom")),
    ],
    noDefaultAttestations: flagOf(cli, "BUILDX_NO_DEFAULT_ATTESTATIONS"),
    vcs: vcsOf(cli),
  };
}
