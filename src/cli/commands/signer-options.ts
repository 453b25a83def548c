/** Who signs: a key, or with `--keyless` an identity. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { KeylessOptions, PrivateKeySource, ShownCode, SignInOptions } from "../../engine/api.ts";
import type { Cli } from "../cli.ts";
import { cliError } from "../failure.ts";
import type { ParsedFlags } from "../flags.ts";
import { readKeyFile } from "./key-file.ts";
import { keyPassword } from "./key-password.ts";
import { readSmallBytes, readSmallFile } from "./small-file.ts";

const maxTokenBytes = 64 << 10;
const maxConfigBytes = 1 << 20;
const details = [
  "fulcio-auth-flow",
  "fulcio-url",
  "identity-token",
  "oidc-client-id",
  "oidc-client-secret-file",
  "oidc-issuer",
  "rekor-url",
  "signing-config",
  "timestamp-server-url",
  "tlog-upload",
];

export type SignerOptions = { readonly key: PrivateKeySource } | { readonly keyless: KeylessOptions };

/** The private key that `--key` names. Its password is asked for when the file is there, once for all images. */
function keySource(cli: Cli, flags: ParsedFlags): PrivateKeySource {
  const name = flags.optional("key");
  if (name === undefined) throw cliError("--key names the private key to sign with, which slipway key generate makes; --keyless signs for an identity instead");
  let known: Promise<Uint8Array> | undefined;
  return { pem: readKeyFile(cli, name), name, password: () => (known ??= keyPassword(cli, name)) };
}

/** `alsoWithKeys`: flags that go with a key as well. Fails with USAGE, INPUT_FILE (invalid_argument). */
export function signerOptions(cli: Cli, flags: ParsedFlags, alsoWithKeys: readonly string[] = []): SignerOptions {
  if (!flags.bool("keyless")) {
    const left = details.find((name) => flags.changed(name) && !alsoWithKeys.includes(name));
    if (left !== undefined) throw cliError(`--${left} wants --keyless`);
    return { key: keySource(cli, flags) };
  }
  if (flags.optional("key") !== undefined) throw cliError("--key and --keyless exclude each other");
  const config = flags.optional("signing-config");
  if (config !== undefined) return { keyless: configured(cli, flags, config) };
  const [issuer, timestampUrl] = [flags.optional("oidc-issuer"), flags.optional("timestamp-server-url")];
  const isLogged = flags.bool("tlog-upload");
  if (!isLogged && timestampUrl === undefined) throw cliError("--tlog-upload=false wants --timestamp-server-url: something has to prove when it was signed");
  return {
    keyless: {
      fulcioUrl: urlOf(flags, "fulcio-url"),
      rekorUrl: isLogged ? urlOf(flags, "rekor-url") : "",
      ...(timestampUrl === undefined ? {} : { timestampUrl: urlOf(flags, "timestamp-server-url") }),
      ...(issuer === undefined ? {} : { issuer: urlOf(flags, "oidc-issuer") }),
      ...tokenOptions(cli, flags, isLogged ? ` at ${flags.string("rekor-url")}` : undefined),
    },
  };
}

function configured(cli: Cli, flags: ParsedFlags, file: string): KeylessOptions {
  const other = ["fulcio-url", "rekor-url", "timestamp-server-url", "tlog-upload"].find((name) => flags.changed(name));
  if (other !== undefined) throw cliError(`--signing-config and --${other} exclude each other`);
  const signingConfig = { json: readSmallBytes(cli, file, maxConfigBytes), name: file };
  const issuer = flags.optional("oidc-issuer") === undefined ? {} : { issuer: urlOf(flags, "oidc-issuer") };
  return { signingConfig, ...issuer, ...tokenOptions(cli, flags, "", signingConfig) };
}

/** Where the token comes from: given, of the environment, or of somebody who signs in. */
function tokenOptions(
  cli: Cli,
  flags: ParsedFlags,
  log: string | undefined,
  config?: KeylessOptions["signingConfig"],
): Pick<KeylessOptions, "env" | "signIn" | "token"> {
  const [token, flow] = [flags.optional("identity-token"), flags.optional("fulcio-auth-flow")];
  if (flow !== undefined && flow !== "token" && flow !== "device") throw cliError(`unknown --fulcio-auth-flow ${JSON.stringify(flow)}: want token or device`);
  if (flow === "device" && token !== undefined) throw cliError("--identity-token and --fulcio-auth-flow device exclude each other");
  if (token !== undefined) return { env: cli.env, token: tokenOf(cli, token) };
  const canAsk = flow === "device" || (flow === undefined && cli.stdin.isTTY && cli.stderr.isTTY);
  // who wants to sign in is not somebody else because a variable says so
  return { env: flow === "device" ? {} : cli.env, ...(canAsk ? { signIn: signIn(cli, flags, log, config) } : {}) };
}

/** Once for all images. */
function signIn(cli: Cli, flags: ParsedFlags, log: string | undefined, config: KeylessOptions["signingConfig"]): () => Promise<string> {
  const [issuer, clientId, secretFile] = [flags.optional("oidc-issuer"), flags.string("oidc-client-id"), flags.optional("oidc-client-secret-file")];
  const options: Omit<SignInOptions, "onCode"> = {
    clientId,
    ...(issuer === undefined ? {} : { issuer }),
    ...(config === undefined ? {} : { signingConfig: config }),
    ...(secretFile === undefined ? {} : { clientSecret: readSmallFile(cli, secretFile).trim() }),
    signal: cli.signal,
  };
  const onCode = ({ userCode, url, validSeconds }: ShownCode): void => {
    if (log !== undefined) cli.stderr.write(`Who signs is written to the log${log}, where everybody can read it for ever.\n`);
    cli.stderr.write(`Enter the verification code ${userCode} in your browser at: ${url}\nCode will be valid for ${validSeconds} seconds\n`);
  };
  let known: Promise<string> | undefined;
  return () => (known ??= cli.open().then(async (engine) => await engine.trust.signIn({ ...options, onCode })));
}

export function urlOf(flags: ParsedFlags, name: string): string {
  const text = flags.string(name);
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) throw cliError(`--${name} wants an address that begins with https://: ${JSON.stringify(text)}`);
  return text;
}

/** The token itself has dots and no slashes; a file's name that looks like one is a file where it is one. */
function tokenOf(cli: Cli, text: string): string {
  if (text.trim() === "") throw cliError("--identity-token is empty: the token, or the name of its file");
  const isFile = text.length < 4096 && statSync(resolve(cli.cwd, text), { throwIfNoEntry: false }) !== undefined;
  return isFile || text.split(".").length !== 3 ? readSmallBytes(cli, text, maxTokenBytes).toString() : text;
}
