/** How one registry is reached where a call says so, and the machine's files do not: who we are there, and which certificates count. */
import { homeDirectory } from "../base/home-directory.ts";
import type { RegistryClientOptions } from "./client.ts";
import type { Env } from "./config-files.ts";
import { anonymous, type Credential, type CredentialSource } from "./credentials.ts";
import { readMachineConfig } from "./machine-config.ts";
import { anyRegistry, type HostOptions, type RegistriesConf } from "./registries-conf.ts";

export interface RegistryAccess {
  /** for the registry itself, never for its mirrors; "none": nobody, whatever the files know */
  readonly credential?: Credential | "none";
  /** looked into first: a path */
  readonly authFile?: string;
  /** false: any certificate is taken, and plain http; true: neither, on the loopback too */
  readonly verifyTls?: boolean;
  /** `*.crt` are its authorities, `NAME.cert` and `NAME.key` our own: in the place of the machine's directories */
  readonly certDir?: string;
}

/** For a client that asks for nothing but repositories of `domain`. Fails as readMachineConfig() does. */
export async function readAccessConfig(domain: string, access: RegistryAccess, env: Env = process.env): Promise<RegistryClientOptions> {
  const { authFile, verifyTls, certDir } = access;
  const machine = await readMachineConfig(authFile === undefined ? env : { ...env, REGISTRY_AUTH_FILE: authFile }, homeDirectory(env));
  return {
    ...machine,
    credentials: credentialsFor(domain, access, machine.credentials ?? anonymous),
    registries: verifyTls === undefined ? (machine.registries ?? []) : withTls(machine.registries ?? [], verifyTls),
    ...(certDir === undefined ? {} : { certDir }),
  };
}

function credentialsFor(domain: string, { credential }: RegistryAccess, known: CredentialSource): CredentialSource {
  if (credential === undefined) return known;
  if (credential === "none") return anonymous;
  return { lookup: async (host, repository, signal) => (host === domain ? credential : await known.lookup(host, repository, signal)) };
}

/** Every registry and mirror, named in a file or not. */
function withTls(registries: RegistriesConf, verify: boolean): RegistriesConf {
  const tls: Pick<HostOptions, "verified"> & { readonly insecure: boolean } = { insecure: !verify, verified: verify };
  const changed = registries.map((registry) => ({ ...registry, ...tls, mirrors: registry.mirrors.map((mirror) => ({ ...mirror, ...tls })) }));
  if (registries.some(({ prefix }) => prefix === anyRegistry)) return changed;
  return [...changed, { prefix: anyRegistry, location: "", blocked: false, mirrors: [], source: "--tls-verify", ...tls }];
}
