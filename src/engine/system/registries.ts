/** What this machine's files say of registries, for `info` in Docker's shape and for `doctor`. */
import { asSlipwayError, type ErrorKind } from "../../base/errors.ts";
import { parseReference } from "../../oci/reference.ts";
import type { MirrorConf, RegistriesConf, RegistryClientOptions, RegistryConf } from "../../registry/index.ts";
import type { DoctorFinding } from "../api.ts";

const hub = "docker.io";
/** Docker counts these as insecure by themselves. */
const loopbackRanges: readonly string[] = ["::1/128", "127.0.0.0/8"];

async function readConf(): Promise<RegistriesConf> {
  const { readMachineConfig } = await import("../../registry/index.ts");
  return (await readMachineConfig()).registries ?? [];
}

function mirrorUrl({ location, insecure }: MirrorConf): string {
  return `${insecure ? "http" : "https"}://${location}/`;
}

function isRange({ prefix }: RegistryConf): boolean {
  return /^[\da-f.:]+\/\d+$/i.test(prefix);
}

/** Docker's RegistryConfig. Pure. */
export function registryConfigOf(conf: RegistriesConf): Readonly<Record<string, unknown>> {
  const own = conf.find(({ prefix }) => prefix === hub);
  const mirrors = own?.mirrors.map(mirrorUrl) ?? [];
  const hosts = conf.filter((registry) => registry.prefix !== hub && !isRange(registry) && (registry.insecure || registry.mirrors.length > 0));
  const index = (name: string, its: readonly string[], secure: boolean): object => ({ Mirrors: its, Name: name, Official: name === hub, Secure: secure });
  return {
    IndexConfigs: Object.fromEntries([
      ...hosts.map((registry) => [registry.prefix, index(registry.prefix, registry.mirrors.map(mirrorUrl), !registry.insecure)] as const),
      [hub, index(hub, mirrors, own?.insecure !== true)],
    ]),
    InsecureRegistryCIDRs: [...conf.filter((registry) => registry.insecure && isRange(registry)).map(({ prefix }) => prefix), ...loopbackRanges],
    Mirrors: mirrors,
  };
}

/** Files that cannot be read say nothing here: `doctor` and every pull do. */
export async function registryConfig(): Promise<Readonly<Record<string, unknown>>> {
  return registryConfigOf(await readConf().catch(() => []));
}

/** Which registries are asked elsewhere, and because of which file; `silent`: mirrors that did not answer, and why. Pure. */
export function registriesFindingOf(conf: RegistriesConf, silent: ReadonlyMap<string, string> = new Map()): DoctorFinding {
  const lines = conf
    .filter(({ mirrors, blocked }) => mirrors.length > 0 || blocked)
    .map(({ prefix, mirrors, blocked, source }) => {
      const name = prefix === "*" ? "all others" : prefix;
      return blocked ? `${name} is blocked (${source})` : `${name} through ${mirrors.map(mirrorUrl).join(", ")} (${source})`;
    });
  const failures = [...silent].map(([url, why]) => `${url} does not answer: ${why}`);
  return {
    name: "registries",
    status: failures.length === 0 ? "ok" : "warning",
    message: lines.length === 0 ? "no mirrors" : [...lines, ...failures].join("; "),
    remedy: failures.length === 0 ? undefined : "pulls lose time there and go on without: start it, or take it out of the file",
  };
}

/** What an answer says of the question is of no interest: whoever refuses, or does not know the name, is there. */
const silences: readonly ErrorKind[] = ["unavailable", "deadline_exceeded", "failed_precondition"];
const patienceMs = 5000;

/** Asks each mirror once, all at the same time. */
async function silentMirrors(conf: RegistriesConf, config: RegistryClientOptions): Promise<ReadonlyMap<string, string>> {
  const mirrors = new Map(conf.flatMap((registry) => (registry.blocked ? [] : registry.mirrors)).map((mirror) => [mirrorUrl(mirror), mirror]));
  if (mirrors.size === 0) return new Map();
  const { createRegistryClient } = await import("../../registry/index.ts");
  const asked = await Promise.all(
    [...mirrors].map(async ([url, { location, insecure }]) => {
      const prefix = location.split("/")[0] ?? location;
      const registries = [{ prefix, location: prefix, insecure, blocked: false, mirrors: [], source: "doctor" }];
      await using client = createRegistryClient({
        ...config,
        registries,
        retry: { maxAttempts: 1 },
        timeouts: { connectMs: patienceMs, documentMs: patienceMs },
      });
      try {
        await client.head(parseReference(`${location}/slipway/doctor:latest`));
        return [];
      } catch (error) {
        const { kind, message } = asSlipwayError(error);
        return silences.includes(kind) ? [[url, message] as const] : [];
      }
    }),
  );
  return new Map(asked.flat());
}

export async function registriesFinding(): Promise<DoctorFinding> {
  try {
    const { readMachineConfig } = await import("../../registry/index.ts");
    const config = await readMachineConfig();
    const conf = config.registries ?? [];
    return registriesFindingOf(conf, await silentMirrors(conf, config));
  } catch (error) {
    const { message } = asSlipwayError(error);
    return { name: "registries", status: "missing", message, remedy: "mend what it names: until then nothing is pulled or pushed" };
  }
}
