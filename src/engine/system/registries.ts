/** What this machine's files say of registries, for `info` in Docker's shape and for `doctor`. */
import { asSlipwayError } from "../../base/errors.ts";
import type { MirrorConf, RegistriesConf, RegistryConf } from "../../registry/index.ts";
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

/** Which registries are asked elsewhere, and because of which file. Pure. */
export function registriesFindingOf(conf: RegistriesConf): DoctorFinding {
  const lines = conf
    .filter(({ mirrors, blocked }) => mirrors.length > 0 || blocked)
    .map(({ prefix, mirrors, blocked, source }) => {
      const name = prefix === "*" ? "all others" : prefix;
      return blocked ? `${name} is blocked (${source})` : `${name} through ${mirrors.map(mirrorUrl).join(", ")} (${source})`;
    });
  return { name: "registries", status: "ok", message: lines.length === 0 ? "no mirrors" : lines.join("; "), remedy: undefined };
}

export async function registriesFinding(): Promise<DoctorFinding> {
  try {
    return registriesFindingOf(await readConf());
  } catch (error) {
    const { message } = asSlipwayError(error);
    return { name: "registries", status: "missing", message, remedy: "mend what it names: until then nothing is pulled or pushed" };
  }
}
