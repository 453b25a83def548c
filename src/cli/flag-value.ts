/**
 * The types of flag values, under the names that `--help` shows, and the check that each makes of its text.
 * The words of the complaints are those of Go's strconv and of Docker's own value types.
 */
import { booleanFromText } from "../base/go-text.ts";
import { SlipwayError } from "../base/errors.ts";
import { parseByteSize, parseGoDuration } from "./units.ts";

/** Types that collect several values; the others keep the last one. */
export const listTypes: ReadonlySet<string> = new Set([
  "list",
  "strings",
  "stringArray",
  "dns-search",
  "stream",
  "filter",
  "map",
  "mount",
  "network",
  "ulimit",
  "env",
  "label",
  "extra-host",
  "ip-list",
  "sysctl",
  "gpu-request",
  "device-weight",
  "device-rate",
  "device-operations",
]);

export function parseBool(text: string): boolean {
  const value = booleanFromText(text);
  if (value === undefined) throw bad(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
  return value;
}

function bad(message: string): SlipwayError {
  return new SlipwayError("invalid_argument", "USAGE", message);
}

function checkInteger(text: string, go: string, pattern: RegExp, max: bigint): void {
  if (!pattern.test(text)) throw bad(`strconv.${go}: parsing ${JSON.stringify(text)}: invalid syntax`);
  const value = BigInt(text.replace(/^\+/, ""));
  if (value > max || -value > max) throw bad(`strconv.${go}: parsing ${JSON.stringify(text)}: value out of range`);
}

const ulimitNames = new Set([
  "core",
  "cpu",
  "data",
  "fsize",
  "locks",
  "memlock",
  "msgqueue",
  "nice",
  "nofile",
  "nproc",
  "rss",
  "rtprio",
  "rttime",
  "sigpending",
  "stack",
]);

function checkUlimit(text: string): void {
  const equals = text.indexOf("=");
  if (equals < 0) throw bad(`invalid ulimit argument: ${text}`);
  const name = text.slice(0, equals);
  if (!ulimitNames.has(name)) throw bad(`invalid ulimit type: ${name}`);
  const limits = text.slice(equals + 1).split(":");
  if (limits.length > 2) {
    throw bad(`too many limit value arguments - ${text.slice(equals + 1)}, can only have up to two, \`soft[:hard]\``);
  }
  for (const limit of limits) checkInteger(limit, "ParseInt", /^[+-]?\d+$/, 2n ** 63n - 1n);
  const [soft = "", hard] = limits;
  if (hard !== undefined && hard !== "-1" && (soft === "-1" || BigInt(soft) > BigInt(hard))) {
    throw bad(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`);
  }
}

function checkMount(text: string): void {
  for (const field of text.split(",")) {
    const key = field.split("=")[0]!.toLowerCase();
    if (!field.includes("=") && !["readonly", "ro", "volume-nocopy", "bind-nonrecursive"].includes(key)) {
      throw bad(`invalid field '${field}' must be a key=value pair`);
    }
  }
}

function checkRational(text: string): void {
  if (!/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$|^\d+\/\d+$/i.test(text)) throw bad(`failed to parse ${text} as a rational number`);
}

function isAddress(text: string): boolean {
  return process.getBuiltinModule("node:net").isIP(text) !== 0;
}

/** Besides net.* and fs.mqueue.*: what a name space has of its own. */
const namespacedSysctls = new Set([
  "kernel.msgmax",
  "kernel.msgmnb",
  "kernel.msgmni",
  "kernel.sem",
  "kernel.shmall",
  "kernel.shmmax",
  "kernel.shmmni",
  "kernel.shm_rmid_forced",
]);

const domainPattern = /^(?:[A-Za-z\d](?:[A-Za-z\d-]*[A-Za-z\d])?)(?:\.[A-Za-z\d](?:[A-Za-z\d-]*[A-Za-z\d])?)*\.?$/;
const positive = "Number must be a positive integer";

/** "/dev/x:value": what stands behind the last colon. */
function deviceValue(text: string): string {
  const [path = "", value, ...more] = text.split(":");
  if (value === undefined || more.length > 0) throw bad(`bad format: ${text}`);
  if (!path.startsWith("/dev/")) throw bad(`bad format for device path: ${text}`);
  return value;
}

function isByteSize(text: string): boolean {
  try {
    return parseByteSize(text) >= 0;
  } catch {
    return false;
  }
}

const checks: Readonly<Record<string, (text: string) => void>> = {
  bool: parseBool,
  squash: (text) => text === "own" || parseBool(text),
  int: (text) => checkInteger(text, "ParseInt", /^[+-]?\d+$/, 2n ** 63n - 1n),
  uint16: (text) => checkInteger(text, "ParseUint", /^\+?\d+$/, 65535n),
  bytes: (text) => void parseByteSize(text),
  "bytes|-1": (text) => void (text === "-1" || parseByteSize(text)),
  duration: (text) => void parseGoDuration(text),
  decimal: checkRational,
  ulimit: checkUlimit,
  mount: checkMount,
  filter: (text) => {
    if (text !== "" && !text.includes("=")) throw bad("bad format of filter (expected name=value)");
  },
  env: (text) => {
    if (text === "" || text.startsWith("=")) throw bad(`invalid environment variable: ${text}`);
  },
  label: (text) => {
    const key = text.split("=")[0]!;
    if (key === "") throw bad(`invalid label '${text}': empty name`);
    if (/\s/.test(key)) throw bad(`label '${key}' contains whitespaces`);
  },
  "extra-host": (text) => {
    const address = /^[^:=]+[:=](.+)$/.exec(text)?.[1];
    if (address === undefined) throw bad(`bad format for add-host: ${JSON.stringify(text)}`);
    if (address !== "host-gateway" && !isAddress(address.replace(/^\[(.*)\]$/, "$1"))) throw bad(`invalid IP address in add-host: ${JSON.stringify(address)}`);
  },
  "device-weight": (text) => {
    const weight = deviceValue(text);
    if (!/^\d+$/.test(weight) || (Number(weight) > 0 && (Number(weight) < 10 || Number(weight) > 1000))) throw bad(`invalid weight for device: ${text}`);
  },
  "device-rate": (text) => {
    if (isByteSize(deviceValue(text))) return;
    const format = `The correct format is <device-path>:<number>[<unit>]. ${positive}. Unit is optional and can be kb, mb, or gb`;
    throw bad(`invalid rate for device: ${text}. ${format}`);
  },
  "device-operations": (text) => {
    if (/^\d+$/.test(deviceValue(text))) return;
    throw bad(`invalid rate for device: ${text}. The correct format is <device-path>:<number>. ${positive}`);
  },
  "ip-list": (text) => {
    if (!isAddress(text.trim())) throw bad(`IP address is not correctly formatted: ${text}`);
  },
  "dns-search": (text) => {
    const domain = text.trim();
    if (domain !== "." && (domain.length >= 255 || !/[A-Za-z]/.test(domain) || !domainPattern.test(domain))) throw bad(`${text} is not a valid domain`);
  },
  stream: (text) => {
    if (!/^(?:stdin|stdout|stderr)$/i.test(text)) throw bad("valid streams are STDIN, STDOUT and STDERR");
  },
  sysctl: (text) => {
    const name = text.split("=", 1)[0] ?? "";
    if (!text.includes("=") || !(namespacedSysctls.has(name) || /^(?:net|fs\.mqueue)\../.test(name))) throw bad(`sysctl '${text}' is not allowed`);
  },
};

/** Fails with USAGE (invalid_argument), its message being the part after "flag: ". */
export function checkFlagValue(type: string, text: string): void {
  checks[type]?.(text);
}

const shownTypes: Readonly<Record<string, string>> = {
  "bytes|-1": "bytes",
  squash: "string",
  env: "list",
  label: "list",
  "extra-host": "list",
  "ip-list": "list",
  "dns-search": "list",
  stream: "list",
  sysctl: "map",
  "device-weight": "list",
  "device-rate": "list",
  "device-operations": "list",
};

/** The type's word in `--help`. */
export function shownType(type: string): string {
  if (type === "bool") return "";
  return shownTypes[type] ?? type;
}
