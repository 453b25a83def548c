/** Flags that name signers by identity. */
import type { VerifyOptions } from "../../engine/api.ts";
import { anchored, matching } from "../../engine/signing/patterns.ts";
import type { Cli } from "../cli.ts";
import { cliError } from "../failure.ts";
import type { ParsedFlags } from "../flags.ts";
import { readSmallBytes } from "./small-file.ts";

const maxRootBytes = 4 << 20;

/** Those of `verify` and `attestations`. */
export const signerNames: IdentityFlagNames = {
  identity: "identity",
  issuer: "issuer",
  key: "key",
  cosign: { identity: "certificate-identity", issuer: "certificate-oidc-issuer" },
};

export interface IdentityFlagNames {
  readonly identity: string;
  readonly issuer: string;
  /** the flag beside which logs are left out anyway */
  readonly key?: string;
  /** cosign's words for them, where the command has those */
  readonly cosign?: { readonly identity: string; readonly issuer: string };
}

/** A whole text, or with the flag's other form a pattern for one, or cosign's words for both; undefined where none is given. */
function textOrPattern(flags: ParsedFlags, name: string, cosignName: string | undefined): string | RegExp | undefined {
  const words = [name, ...(cosignName === undefined ? [] : [cosignName])].flatMap((word) => [word, `${word}-regexp`]);
  const [first, second] = words.filter((one) => flags.changed(one));
  if (first === undefined) return undefined;
  if (second !== undefined) throw cliError(`--${first} and --${second} exclude each other`);
  const text = flags.string(first);
  if (!first.endsWith("-regexp")) return text;
  return first.startsWith(`${name}-`) ? anchored(text) : matching(text);
}

/** Both who signed and who vouches for that have to be named: anybody can call himself anything somewhere. */
export function identityOptions(
  cli: Cli,
  flags: ParsedFlags,
  names: IdentityFlagNames,
): Required<Pick<VerifyOptions, "identities" | "trustedRoot">> | undefined {
  const identity = textOrPattern(flags, names.identity, names.cosign?.identity);
  const issuer = textOrPattern(flags, names.issuer, names.cosign?.issuer);
  const root = flags.optional("trusted-root");
  if (identity === undefined && issuer === undefined) {
    // cosign asks for that beside a key: here nothing of a log is ever asked for there
    const logs = names.key !== undefined && flags.list(names.key).length > 0 ? [] : ["insecure-ignore-tlog", "insecure-ignore-sct"];
    const left = ["trusted-root", ...logs].find((name) => flags.changed(name));
    if (left !== undefined) throw cliError(`--${left} wants --${names.identity} and --${names.issuer}`);
    return undefined;
  }
  if (identity === undefined || issuer === undefined) throw cliError(`--${names.identity} and --${names.issuer}, or their forms with -regexp, belong together`);
  if (root === undefined) {
    const remedy = "sigstore's clients keep the public one as ~/.sigstore/root/…/targets/trusted_root.json; cosign trusted-root create writes one of one's own";
    throw cliError(`--${names.identity} wants --trusted-root: whose certificates are to be believed?`, "USAGE", { remedy });
  }
  const json = readSmallBytes(cli, root, maxRootBytes);
  const ignore = { ignoreLog: flags.bool("insecure-ignore-tlog"), ignoreCertificateLog: flags.bool("insecure-ignore-sct") };
  return { identities: [{ identity, issuer }], trustedRoot: { json, name: root, ...ignore } };
}
