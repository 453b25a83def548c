/** Proxies that Docker's config.json gives to builds and containers. @see docker docs, "Configure the Docker CLI to use a proxy server" */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { homeDirectory } from "../../base/home-directory.ts";
import type { Cli } from "../cli.ts";

/** Docker's names in the file, and the variable that each becomes, in capitals and in small letters. */
const variables = {
  httpProxy: "HTTP_PROXY",
  httpsProxy: "HTTPS_PROXY",
  noProxy: "NO_PROXY",
  ftpProxy: "FTP_PROXY",
  allProxy: "ALL_PROXY",
} as const;

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A file that cannot be read configures nothing: signing in tells of it. */
function defaultProxies({ env }: Cli): Readonly<Record<string, unknown>> {
  try {
    const config: unknown = JSON.parse(readFileSync(join(env["DOCKER_CONFIG"] || join(homeDirectory(env), ".docker"), "config.json"), "utf8"));
    const proxies = isObject(config) ? config["proxies"] : undefined;
    const own = isObject(proxies) ? proxies["default"] : undefined;
    return isObject(own) ? own : {};
  } catch {
    return {};
  }
}

/** By variable. What the user `names` already, with a value or without, is left out. */
export function configuredProxies(cli: Cli, names: readonly string[]): Readonly<Record<string, string>> {
  const given = new Set(names);
  const proxies = defaultProxies(cli);
  const pairs = Object.entries(variables).flatMap(([key, name]) => {
    const value = proxies[key];
    return typeof value === "string" && value !== "" ? [name, name.toLowerCase()].filter((each) => !given.has(each)).map((each) => [each, value] as const) : [];
  });
  return Object.fromEntries(pairs);
}
