/** `login` and `logout`, as Docker's. */
import { SlipwayError, isSlipwayError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import type { AccountApi } from "../../engine/registry-api.ts";
import type { Handler } from "../command.ts";
import type { Cli } from "../cli.ts";
import { cliError } from "../failure.ts";
import type { ParsedFlags } from "../flags.ts";
import { ask, askSecret, Keys } from "./ask.ts";
import { loginInBrowser } from "./browser-login.ts";

type KeptIn = Awaited<ReturnType<AccountApi["login"]>>;
type Credential = Parameters<AccountApi["login"]>[1];

/** Docker's, word for word. */
const hubNotes = `Log in with your Docker ID or email address to push and pull images from Docker Hub. If you don't have a Docker ID, head over to https://hub.docker.com/ to create one.
You can log in with your password or a Personal Access Token (PAT). Using a limited-scope PAT grants better security and is required for organizations using SSO. Learn more at https://docs.docker.com/go/access-tokens/

`;

const hubServer = "https://index.docker.io/v1/";

/** `https://host/v1/` was a way to write a registry once. */
function hostOf(server: string): string {
  const bare = server.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
  return bare === "" || bare === "index.docker.io" || bare === "registry-1.docker.io" ? "docker.io" : bare;
}

function plain(message: string): Error {
  return cliError(message, "USAGE", { bare: true, exitCode: 1 });
}

export const runLogin: Handler = async (cli, { flags, args }) => {
  const host = hostOf(args[0] ?? "");
  const username = flags.string("username");
  const password = await passwordFrom(cli, flags);
  warnOfEnvironment(cli);
  const accounts = await cli.accounts();
  const known = username === "" && password === undefined ? await knownAt(cli, accounts, host) : undefined;
  if (known !== undefined && (await loginAgain(cli, accounts, host, known))) return 0;
  const inBrowser = host === "docker.io" && username === "" && password === undefined && cli.stdin.isTTY;
  const kept =
    (inBrowser ? await loginInBrowser(cli, accounts) : undefined) ?? (await loginWith(cli, accounts, host, { username, password, formerName: nameOf(known) }));
  if (kept.kind === "file" && kept.password) {
    cli.stderr.write(`\nWARNING! Your credentials are stored unencrypted in '${kept.path}'.\nConfigure a credential helper to remove this warning. See\n`);
    cli.stderr.write("https://docs.docker.com/go/credential-store/\n\n");
  }
  cli.stdout.write("Login Succeeded\n");
  return 0;
};

/** What is kept is not looked at then. */
function warnOfEnvironment(cli: Cli): void {
  if ((cli.env["DOCKER_AUTH_CONFIG"] ?? "") === "") return;
  cli.stderr.write(
    "\n Warn -> DOCKER_AUTH_CONFIG is set and takes precedence.\n         Unset DOCKER_AUTH_CONFIG to restore the CLI auth behaviour.\n         \n",
  );
}

async function loginWith(cli: Cli, accounts: AccountApi, host: string, given: Given): Promise<KeptIn> {
  const credential = { kind: "basic", ...(await complete(cli, host, given)) } as const;
  return await accounts.login(host, credential, { signal: cli.signal }).catch(throwUnsaved);
}

/** A helper that fails knows nothing: the user is asked, as Docker does. */
async function knownAt(cli: Cli, accounts: AccountApi, host: string): Promise<Credential | undefined> {
  try {
    return await accounts.known(host);
  } catch (error) {
    if (!isSlipwayError(error, "CREDENTIAL_HELPER_FAILED")) throw error;
    cli.stderr.write(`WARNING: ${printable(error.message)}\n`);
    return undefined;
  }
}

function throwUnsaved(error: unknown): never {
  if (!isSlipwayError(error, "CREDENTIAL_HELPER_FAILED")) throw error;
  throw new SlipwayError(error.kind, error.code, `Error saving credentials: ${error.message}`, { ...error.details, bare: true }, error.cause);
}

/** With what is known already; where that is refused, Docker says so and asks. */
async function loginAgain(cli: Cli, accounts: AccountApi, host: string, known: Credential): Promise<boolean> {
  const name = known.kind === "basic" ? ` [Username: ${known.username}]` : "";
  cli.stderr.write(`Authenticating with existing credentials...${name}\n\n`);
  cli.stderr.write(` Info -> To login with a different account, run 'slipway logout' followed by 'slipway login'\n\n\n`);
  try {
    await accounts.login(host, known, { signal: cli.signal });
  } catch (error) {
    if (!(error instanceof SlipwayError) || error.kind === "canceled") throw error;
    const refused = error.code === "LOGIN_REFUSED";
    cli.stderr.write(refused ? "Stored credentials invalid or expired\n" : `Login did not succeed, error: ${printable(error.message)}\n`);
    return false;
  }
  cli.stdout.write("Login Succeeded\n");
  return true;
}

/** undefined: to be asked for. A flag that is given empty is a mistake, an empty standard input is not. */
async function passwordFrom(cli: Cli, flags: ParsedFlags): Promise<string | undefined> {
  const given = flags.string("password");
  const fromStdin = flags.bool("password-stdin");
  if (flags.changed("password") && fromStdin) throw plain("conflicting options: cannot specify both --password and --password-stdin");
  if (flags.changed("username") && flags.string("username") === "") throw plain("username is empty");
  if (flags.changed("password") && given === "") throw plain("password is empty");
  if (given !== "") {
    cli.stderr.write("WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n");
    return given;
  }
  if (!fromStdin) return undefined;
  if (!flags.changed("username")) throw plain("the --password-stdin option requires --username to be set");
  let text = "";
  for await (const chunk of cli.stdin.chunks) text += Buffer.from(chunk).toString();
  const password = text.replace(/\r?\n$/, "");
  return password === "" ? undefined : password;
}

function nameOf(known: Credential | undefined): string {
  return known === undefined || known.kind === "bearer" ? "" : (known.username ?? "");
}

interface Given {
  readonly username: string;
  readonly password: string | undefined;
  /** who it was the last time: Enter takes it again */
  readonly formerName: string;
}

async function complete(cli: Cli, host: string, { username, password, formerName }: Given): Promise<{ username: string; password: string }> {
  if (username !== "" && password !== undefined) return { username, password };
  if (!cli.stdin.isTTY) throw plain("Error: Cannot perform an interactive login from a non TTY device");
  if (host === "docker.io" && username === "") {
    cli.stdout.write(hubNotes);
  }
  const keys = new Keys(cli);
  try {
    const question = formerName === "" ? "Username: " : `Username (${printable(formerName)}): `;
    const name = username === "" ? (await ask(cli, keys, question)).trim() || formerName : username;
    if (name === "") throw plain("Error: Non-null Username Required");
    const secret = password ?? (await askSecret(cli, keys, "Password: "));
    if (secret === "") throw plain("Error: Password Required");
    return { username: name, password: secret };
  } finally {
    cli.stdin.close();
  }
}

export const runLogout: Handler = async (cli, { args }) => {
  const host = hostOf(args[0] ?? "");
  warnOfEnvironment(cli);
  cli.stdout.write(`Removing login credentials for ${host === "docker.io" ? hubServer : host}\n`);
  try {
    await (await cli.accounts()).logout(host);
  } catch (error) {
    if (!isSlipwayError(error, "CREDENTIAL_HELPER_FAILED")) throw error;
    cli.stderr.write(`WARNING: could not erase credentials:\n${host}: ${printable(error.message)}\n`);
  }
  return 0;
};
