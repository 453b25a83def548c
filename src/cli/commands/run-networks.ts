/** `--network`, short (a name) and long (name=…,alias=…,ip=…), with the flags that say more of the first one. Failures in Docker's words. */
import type { NetworkRequest, RunOptions } from "../../engine/api.ts";
import { cliError } from "../failure.ts";
import type { ParsedFlags } from "../flags.ts";
import { splitCsv } from "./key-value.ts";

/** Fails with USAGE (invalid_argument). */
export function networkOptions(flags: ParsedFlags): Pick<RunOptions, "network" | "networks"> {
  const words = [...flags.list("network"), ...flags.list("net")];
  if (words.includes("")) throw cliError("no name set for network");
  const given = words.map(parseNetwork);
  const [first = { name: "" }, ...others] = given;
  const [aliases, links, address] = [flags.list("network-alias"), flags.list("link"), flags.optional("ip")];
  if (aliases.length > 0 && (first.aliases ?? []).length > 0) throw cliError("conflicting options: cannot specify both --network-alias and per-network alias");
  if (address !== undefined && first.address !== undefined) throw cliError("conflicting options: cannot specify both --ip and per-network IPv4 address");
  if (aliases.length > 0 && ["", "default", "bridge", "host", "none"].includes(first.name))
    throw cliError("network-scoped aliases are only supported for user-defined networks");
  if (others.length > 0 && given.some(({ name }) => name === "host" || name === "none" || name.startsWith("container:")))
    throw cliError("conflicting options: cannot attach both user-defined and non-user-defined network-modes");
  const [mac, ownMac] = [checkedMac(flags.optional("mac-address")), first.mac];
  if (mac !== undefined && ownMac !== undefined) throw cliError("conflicting options: cannot specify both --mac-address and per-network MAC address");
  const whole: NetworkRequest = {
    name: first.name,
    aliases: [...(first.aliases ?? []), ...aliases],
    links: [...(first.links ?? []), ...links],
    ...(mac === undefined && ownMac === undefined ? {} : { mac: mac ?? ownMac ?? "" }),
    ...(first.address === undefined && address === undefined ? {} : { address: address ?? first.address ?? "" }),
  };
  const plain = others.length === 0 && whole.aliases?.length === 0 && whole.links?.length === 0 && whole.address === undefined && whole.mac === undefined;
  if (plain) return given.length === 0 ? {} : { network: first.name };
  return { network: first.name, networks: [whole, ...others] };
}

/** The forms that Go's net package reads, as it writes them. USAGE (invalid_argument) in Docker's words. */
function checkedMac(text: string | undefined): string | undefined {
  if (text === undefined || text === "") return undefined;
  const digits = text.replaceAll(/[:.-]/g, "");
  const isMac = /^(?:[\da-f]{2}(?::[\da-f]{2}){5}|[\da-f]{2}(?:-[\da-f]{2}){5}|[\da-f]{4}(?:\.[\da-f]{4}){2})$/i.test(text);
  if (!isMac) throw cliError(`${text} is not a valid mac address`);
  return (digits.toLowerCase().match(/../g) ?? []).join(":");
}

/** A text without "name=" is the name. Fails with UNKNOWN_FLAG (invalid_argument): exit code 125, as Docker has it. */
function parseNetwork(text: string): NetworkRequest {
  if (!/(?:^|,)\s*[A-Za-z-]+=/.test(text)) return { name: text };
  const fail = (message: string): Error => cliError(`invalid argument ${JSON.stringify(text)} for "--network" flag: ${message}`, "UNKNOWN_FLAG");
  const request: { name: string; aliases: string[]; links: string[]; address?: string; mac?: string } = { name: "", aliases: [], links: [] };
  for (const field of splitCsv(text)) {
    const equals = field.indexOf("=");
    if (equals < 0) throw fail(`invalid field '${field}' must be a key=value pair`);
    const [key, value] = [field.slice(0, equals).trim().toLowerCase(), field.slice(equals + 1).trim()];
    if (key === "name") request.name = value;
    else if (key === "alias") request.aliases.push(value);
    else if (key === "ip") request.address = value;
    else if (key === "mac-address") request.mac = checkedMac(value) ?? "";
    else if (["ip6", "link-local-ip", "driver-opt", "gw-priority"].includes(key)) throw fail(`${key} is not supported`);
    else throw fail(`invalid field key ${key}`);
  }
  return request;
}
