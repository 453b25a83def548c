/** `info`: the store and the machine, in Docker's layout and fields. */
import { printable } from "../../base/printable.ts";
import type { Cli } from "../cli.ts";
import type { Handler } from "../command.ts";
import { GoStruct, nilList } from "../go-value.ts";
import { renderOne, structFrom } from "../render.ts";
import { packageVersion } from "../standard-streams.ts";
import { formatBinarySize } from "../units.ts";

type Info = Readonly<Record<string, unknown>>;

/** Labels of the text, in Docker's order; the first blanks are the indent. */
const labels: readonly (readonly [label: string, key: string])[] = [
  ["Containers", "Containers"],
  [" Running", "ContainersRunning"],
  [" Paused", "ContainersPaused"],
  [" Stopped", "ContainersStopped"],
  ["Images", "Images"],
  ["Server Version", "ServerVersion"],
  ["Storage Driver", "Driver"],
  ["Logging Driver", "LoggingDriver"],
  ["Cgroup Driver", "CgroupDriver"],
  ["Cgroup Version", "CgroupVersion"],
  ["Runtimes", "Runtimes"],
  ["Default Runtime", "DefaultRuntime"],
  ["Security Options", "SecurityOptions"],
  ["Kernel Version", "KernelVersion"],
  ["Operating System", "OperatingSystem"],
  ["OSType", "OSType"],
  ["Architecture", "Architecture"],
  ["CPUs", "NCPU"],
  ["Total Memory", "MemTotal"],
  ["Name", "Name"],
  ["Docker Root Dir", "DockerRootDir"],
  ["Debug Mode", "Debug"],
  ["Experimental", "ExperimentalBuild"],
  ["Insecure Registries", "RegistryConfig"],
  ["Registry Mirrors", "RegistryConfig"],
  ["Live Restore Enabled", "LiveRestoreEnabled"],
];

/** `name=seccomp,profile=builtin` over two lines. */
function securityLines(options: readonly string[]): string {
  return options
    .map((option) => {
      const [first = "", ...rest] = option.split(",").map((pair) => pair.split("="));
      const title = (word: string): string => word.slice(0, 1).toUpperCase() + word.slice(1);
      return `\n  ${first[1] ?? ""}${rest.map(([key = "", value = ""]) => `\n   ${title(key)}: ${value}`).join("")}`;
    })
    .join("");
}

function shownValue(key: string, value: unknown): string {
  if (key === "SecurityOptions") return securityLines(value as readonly string[]);
  if (key === "Runtimes") return ` ${Object.keys(value as object).join(" ")}`;
  return ` ${key === "MemTotal" ? formatBinarySize(value as number) : String(value)}`;
}

/** Hosts first, then ranges, as Docker lists them. */
function registryLines(label: string, config: unknown): readonly string[] {
  const { IndexConfigs = {}, InsecureRegistryCIDRs = [], Mirrors = [] } = (config ?? {}) as RegistryLists;
  if (label === "Registry Mirrors") return Mirrors;
  const hosts = Object.entries(IndexConfigs).flatMap(([name, { Secure }]) => (Secure ? [] : [name]));
  return [...hosts.toSorted(), ...InsecureRegistryCIDRs];
}

interface RegistryLists {
  readonly IndexConfigs?: Readonly<Record<string, { readonly Secure: boolean }>>;
  readonly InsecureRegistryCIDRs?: readonly string[];
  readonly Mirrors?: readonly string[];
}

function formatLine(info: Info, label: string, key: string): string {
  if (key !== "RegistryConfig") return printable(` ${label}:${shownValue(key, info[key])}\n`);
  const lines = registryLines(label, info[key]);
  return lines.length === 0 ? "" : printable(` ${label}:\n${lines.map((line) => `  ${line}\n`).join("")}`);
}

function formatInfo(info: Info): string {
  return labels.map(([label, key]) => formatLine(info, label, key)).join("");
}

/** What templates of Docker's ask for besides, as it is here. */
function besides(cli: Cli): Readonly<Record<string, GoStruct["fields"][string]>> {
  const proxy = (name: string): string => cli.env[name] ?? cli.env[name.toLowerCase()] ?? "";
  return {
    Swarm: { LocalNodeState: "inactive", NodeID: "" },
    IndexServerAddress: "https://index.docker.io/v1/",
    HTTPProxy: proxy("HTTP_PROXY"),
    HTTPSProxy: proxy("HTTPS_PROXY"),
    NoProxy: proxy("NO_PROXY"),
    Isolation: "",
    DriverStatus: nilList,
    GenericResources: nilList,
    Labels: nilList,
    Warnings: nilList,
    ServerErrors: nilList,
    ClientInfo: { Debug: cli.debug, Version: packageVersion(), Context: "default" },
  };
}

export const runInfo: Handler = async (cli, { flags }) => {
  const engine = await cli.open();
  const info: Info = { ...(await engine.system.info()), Debug: cli.debug, ExperimentalBuild: false, LiveRestoreEnabled: false };
  const format = flags.string("format");
  if (format !== "") {
    const typed = structFrom(info, "system.dockerInfo", new Set(["Runtimes", "IndexConfigs"])) as GoStruct;
    cli.stdout.write(`${renderOne(format, new GoStruct(typed.typeName, { ...besides(cli), ...typed.fields }, { json: info }), "")}\n`);
    return 0;
  }
  cli.stdout.write(`Client:\n Version:    ${packageVersion()}\n Context:    default\n Debug Mode: ${cli.debug}\n\nServer:\n${formatInfo(info)}\n`);
  return 0;
};
