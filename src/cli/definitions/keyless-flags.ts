/** Flags of commands that can sign for an identity instead of with a key. */
import type { FlagSpec } from "../flags.ts";
import { flag } from "./flag.ts";

export const keylessFlags: readonly FlagSpec[] = [
  flag("fulcio-url", "", "string", "With --keyless, the authority for certificates", { default: '"https://fulcio.sigstore.dev"' }),
  flag("identity-token", "", "string", "With --keyless, the identity token or a file that has it; else SIGSTORE_ID_TOKEN, else the GitHub workflow's", {
    complete: "file",
  }),
  flag("keyless", "", "bool", "Sign for the identity that a token names, with a key that is used once"),
  flag("oidc-issuer", "", "string", "With --keyless, refuse a token that another issuer gave"),
  flag("rekor-url", "", "string", "With --keyless, the transparency log", { default: '"https://rekor.sigstore.dev"' }),
  flag("timestamp-server-url", "", "string", "With --keyless, an authority for time stamps (RFC 3161) besides the log"),
  flag("tlog-upload", "", "bool", "With --keyless, write to the transparency log; without it a time stamp is needed", { default: "true" }),
];
