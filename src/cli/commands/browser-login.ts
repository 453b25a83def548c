/** `login` at Docker Hub without a name, on a terminal: the browser signs in. */
import { isSlipwayError } from "../../base/errors.ts";
import type { AccountApi } from "../../engine/registry-api.ts";
import type { Cli } from "../cli.ts";
import { parseBool } from "../flag-value.ts";
import { Keys } from "./ask.ts";

type KeptIn = Awaited<ReturnType<AccountApi["loginByDevice"]>>;

/** Off unless the Hub knows us: no identity but one that was registered for Slipway is used. */
function isDisabled({ env }: Cli): boolean {
  if ((env["SLIPWAY_HUB_CLIENT_ID"] ?? "") === "") return true;
  try {
    return parseBool(env["DOCKER_CLI_DISABLE_OAUTH_LOGIN"] || "false");
  } catch {
    return false;
  }
}

/** The desktop's way; where there is none, the address on the terminal has to do. */
function openBrowser(cli: Cli, url: string): void {
  const { spawn } = process.getBuiltinModule("node:child_process");
  const child = spawn("xdg-open", [url], { stdio: "ignore", detached: true, env: cli.env as NodeJS.ProcessEnv });
  child.on("error", () => undefined);
  child.unref();
}

/** undefined where the browser is no way: then name and password are asked for. */
export async function loginInBrowser(cli: Cli, accounts: AccountApi): Promise<KeptIn | undefined> {
  if (isDisabled(cli)) return undefined;
  let isOver = false;
  let asked = false;
  const bold = (text: string): string => (cli.stderr.isTTY ? `\u001b[1m${text}\u001b[0m` : text);
  const onCode = ({ userCode, url }: { readonly userCode: string; readonly url: string }): void => {
    asked = true;
    cli.stderr.write(
      `${bold("\nUSING WEB-BASED LOGIN")}\n\n Info -> To sign in with credentials on the command line, use 'slipway login -u <username>'\n         \n`,
    );
    cli.stderr.write(`\nYour one-time device confirmation code is: ${bold(userCode)}\n`);
    cli.stderr.write(
      `${bold("Press ENTER")} to open your browser or submit your device code here: ${url.split("?")[0]}\n\nWaiting for authentication in the browser…\n`,
    );
    void new Keys(cli).line().then(
      () => {
        if (!isOver) openBrowser(cli, url);
      },
      () => undefined,
    );
  };
  try {
    return await accounts.loginByDevice({ onCode, signal: cli.signal });
  } catch (error) {
    if (!isSlipwayError(error, "HUB_LOGIN_UNAVAILABLE")) throw error;
    cli.stderr.write("Failed to start web-based login - falling back to command line login...\n\n");
    return undefined;
  } finally {
    isOver = true;
    if (asked) cli.stdin.close();
  }
}
