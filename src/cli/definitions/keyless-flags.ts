/** Flags of commands that can sign for an identity instead of with a key. */
import type { FlagSpec } from "../flags.ts";
import { flag } from "./flag.ts";

export const keylessFlags: readonly FlagSpec[] = [
  flag(
    "fulcio-auth-flow",
    "",
    "string",
    'With --keyless, how to come by an identity token ("token", "device": sign in by a code, on a terminal the default where there is none)',
    {
      complete: ["token", "device"],
    },
  ),
  flag("fulcio-url", "", "string", "With --keyless, the authority for certificates", { default: '"https://fulcio.sigstore.dev"' }),
  flag("identity-token", "", "string", "With --keyless, the identity token or a file that has it; else SIGSTORE_ID_TOKEN, else the GitHub workflow's", {
    complete: "file",
  }),
  flag("keyless", "", "bool", "Sign for the identity that a token names, with a key that is used once"),
  flag("oidc-client-id", "", "string", "With --keyless, as which program the issuer knows us when somebody signs in", { default: '"sigstore"' }),
  flag("oidc-client-secret-file", "", "string", "With --keyless, file of the secret that belongs to --oidc-client-id", { complete: "file" }),
  flag("oidc-issuer", "", "string", "With --keyless, refuse a token that another issuer gave; where to sign in (by default https://oauth2.sigstore.dev/auth)"),
  flag("rekor-url", "", "string", "With --keyless, the transparency log", { default: '"https://rekor.sigstore.dev"' }),
  flag("signing-config", "", "string", "With --keyless, file of the services that sign (sigstore's signing_config.json), instead of their addresses", {
    complete: "file",
  }),
  flag(
    "timestamp-server-url",
    "",
    "string",
    "With --keyless, an authority for time stamps (RFC 3161) besides the log; with sign --notation, one that stamps the signature",
  ),
  flag("tlog-upload", "", "bool", "With --keyless, write to the transparency log; without it a time stamp is needed", { default: "true" }),
];

/** Where signatures are kept. */
export const signatureRepositoryFlag: FlagSpec = flag(
  "signature-repository",
  "",
  "string",
  "Repository that signatures are kept in, instead of the image's own; else COSIGN_REPOSITORY",
);
