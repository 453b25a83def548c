/** `build --sign`: what was pushed is signed, under each name that it went to, and so is what it says of itself. */
import type { BuildOptions, BuildResult, SlipwayApi } from "../../engine/api.ts";
import { checkPrivateKey } from "../../engine/signing/keys.ts";
import type { Cli } from "../cli.ts";
import { cliError } from "../failure.ts";
import type { ParsedFlags } from "../flags.ts";
import { pushes } from "./build-options.ts";
import { signatureRepository } from "./signature-repository.ts";
import { signerOptions } from "./signer-options.ts";
import { tellSigned } from "./sign.ts";

export type SignBuilt = (engine: SlipwayApi, result: BuildResult) => Promise<void>;

/** Opens the key, or looks at the token, before anything is built, so that a wrong password costs no build. Fails with USAGE where nothing is pushed. */
export async function signBuilt(cli: Cli, flags: ParsedFlags, { outputs = [] }: BuildOptions, quiet: boolean): Promise<SignBuilt | undefined> {
  if (!flags.bool("sign")) {
    const left = ["key", "keyless", "signature-repository"].find((name) => flags.changed(name));
    if (left !== undefined) throw cliError(`--${left} wants --sign`);
    return undefined;
  }
  if (!outputs.some(pushes)) throw cliError("--sign wants --push: what is signed is the registry's image");
  const signer = { ...signerOptions(cli, flags), ...signatureRepository(cli, flags) };
  if ("key" in signer) await checkPrivateKey(signer.key);
  else (await import("../../engine/signing/identity-token.ts")).checkIdentityToken(signer.keyless);
  return async (engine, { metadata, attested = [] }) => {
    const { "image.name": names, "containerimage.digest": digest } = metadata;
    if (typeof names !== "string" || typeof digest !== "string") throw cliError("nothing was pushed that could be signed");
    for (const name of names.split(",")) {
      const plain = name.replace(/@.*/, "");
      const signed = await engine.trust.sign(`${plain}@${digest}`, { ...signer, recursive: true, signal: cli.signal });
      if (!quiet) tellSigned(cli, signed);
      for (const { subject, predicateType: type, predicate } of attested) {
        const bytes = Buffer.from(JSON.stringify(predicate));
        const statement = await engine.trust.attest(`${plain}@${subject}`, { ...signer, type, predicate: bytes, signal: cli.signal });
        if (!quiet) tellSigned(cli, statement, ".att");
      }
    }
  };
}
