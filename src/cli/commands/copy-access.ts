/** skopeo's words for how the registries and daemons at both ends of a copy are reached. */
import type { CopyOptions } from "../../engine/api.ts";
import { existingAuthFile } from "../auth-file.ts";
import type { Cli } from "../cli.ts";
import { cliError } from "../failure.ts";
import type { ParsedFlags } from "../flags.ts";

type Access = NonNullable<CopyOptions["source"]>;

const registryFlags = ["authfile", "cert-dir", "creds", "no-creds", "password", "registry-token", "tls-verify", "username"] as const;

const elsewhere = /^(?:store|containers|containers-storage|oci|oci-archive|docker-archive|dir):|^ssh:\/\//;
const daemon = /^docker-daemon:/;

/** Undefined where nothing was said of this end. What has no effect at its place is warned of. */
export function accessTo(cli: Cli, flags: ParsedFlags, end: "src" | "dest", place: string): Access | undefined {
  const given = (name: string): boolean => flags.changed(`${end}-${name}`);
  const isRegistry = !elsewhere.test(place) && !daemon.test(place);
  const warn = (name: string, why: string): void => cli.stderr.write(`WARNING: --${end}-${name} is ignored: ${place} is ${why}.\n`);
  if (!isRegistry) for (const name of registryFlags) if (given(name)) warn(name, "no registry");
  if (!daemon.test(place) && given("daemon-host")) warn("daemon-host", "no daemon");
  const credential = credentialOf(flags, end);
  const access: Access = {
    ...(credential === undefined ? {} : { credential }),
    ...(given("authfile") ? { authFile: existingAuthFile(cli.cwd, flags.string(`${end}-authfile`)) } : {}),
    ...(given("cert-dir") ? { certDir: flags.string(`${end}-cert-dir`) } : {}),
    ...(given("tls-verify") ? { verifyTls: flags.bool(`${end}-tls-verify`) } : {}),
    ...(given("daemon-host") ? { daemonHost: flags.string(`${end}-daemon-host`) } : {}),
  };
  return Object.keys(access).length === 0 ? undefined : access;
}

function credentialOf(flags: ParsedFlags, end: "src" | "dest"): Access["credential"] {
  const given = (name: string): boolean => flags.changed(`${end}-${name}`);
  if (given("creds") && flags.bool(`${end}-no-creds`)) throw cliError("creds and no-creds cannot be specified at the same time");
  if (given("creds") && given("username")) throw cliError("creds and username cannot be specified at the same time");
  if (given("username") && !given("password")) throw cliError("password must be specified when username is specified");
  if (given("password") && !given("username")) throw cliError("username must be specified when password is specified");
  if (flags.bool(`${end}-no-creds`)) return "none";
  if (given("registry-token")) return { kind: "bearer", token: flags.string(`${end}-registry-token`) };
  if (given("username")) return { kind: "basic", username: flags.string(`${end}-username`), password: flags.string(`${end}-password`) };
  return given("creds") ? parseCreds(flags.string(`${end}-creds`)) : undefined;
}

/** USERNAME[:PASSWORD] */
function parseCreds(text: string): Access["credential"] {
  if (text === "") throw cliError("credentials can't be empty");
  const colon = text.indexOf(":");
  const username = colon < 0 ? text : text.slice(0, colon);
  if (username === "") throw cliError("username can't be empty");
  return { kind: "basic", username, password: colon < 0 ? "" : text.slice(colon + 1) };
}
