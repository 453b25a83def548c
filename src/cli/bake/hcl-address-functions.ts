/** Networks' addresses: `cidrhost`, `cidrnetmask`, `cidrsubnet`, `cidrsubnets`, as HCL's standard library has them. */
import { isIPv4, isIPv6 } from "node:net";

interface Network {
  /** the first address */
  readonly base: bigint;
  readonly prefix: number;
  /** 32 or 128 */
  readonly bits: number;
}

/** The address's own form, in full. */
function groupsOf(address: string): readonly number[] {
  const [head = "", tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split("::");
  const numbers = (part: string): number[] => (part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16)));
  const [front, back] = [numbers(head), numbers(tail ?? "")];
  return [...front, ...Array.from({ length: 8 - front.length - back.length }, () => 0), ...back];
}

function parseNetwork(text: string): Network {
  const [, address = "", length = ""] = /^([^/]+)\/(\d+)$/.exec(text) ?? [];
  const bits = isIPv4(address) ? 32 : 128;
  const prefix = Number(length);
  if ((bits === 128 && !isIPv6(address)) || prefix > bits) throw new TypeError(`invalid CIDR expression: invalid CIDR address: ${text}`);
  const parts = bits === 32 ? address.split(".").map(Number) : groupsOf(address);
  const value = parts.reduce((sum, part) => (sum << (bits === 32 ? 8n : 16n)) | BigInt(part), 0n);
  const rest = BigInt(bits - prefix);
  return { base: (value >> rest) << rest, prefix, bits };
}

function formatAddress(value: bigint, bits: number): string {
  const parts = Array.from({ length: bits === 32 ? 4 : 8 }, (_, at) =>
    Number((value >> BigInt(bits - (at + 1) * (bits === 32 ? 8 : 16))) & (bits === 32 ? 0xffn : 0xffffn)),
  );
  if (bits === 32) return parts.join(".");
  return new URL(`http://[${parts.map((part) => part.toString(16)).join(":")}]/`).hostname.slice(1, -1);
}

function formatNetwork({ base, prefix, bits }: Network): string {
  return `${formatAddress(base, bits)}/${prefix}`;
}

/** Numbers below zero count from the end. */
export function cidrHost(text: string, host: number): string {
  const { base, prefix, bits } = parseNetwork(text);
  const size = 1n << BigInt(bits - prefix);
  const number = BigInt(host);
  if (number >= size || -number > size) throw new TypeError(`prefix of ${prefix} does not accommodate a host numbered ${host}`);
  return formatAddress(base + (number < 0n ? size + number : number), bits);
}

export function cidrNetmask(text: string): string {
  const { prefix, bits } = parseNetwork(text);
  if (bits !== 32) throw new TypeError("IPv6 addresses cannot have a netmask: only CIDR notation is used there");
  const rest = BigInt(bits - prefix);
  return formatAddress((((1n << BigInt(prefix)) - 1n) << rest) & 0xffffffffn, bits);
}

export function cidrSubnet(text: string, newBits: number, number: number): string {
  const { base, prefix, bits } = parseNetwork(text);
  const longer = extended(prefix, newBits, bits);
  if (BigInt(number) >= 1n << BigInt(newBits)) throw new TypeError(`prefix extension of ${newBits} does not accommodate a subnet numbered ${number}`);
  return formatNetwork({ base: base + (BigInt(number) << BigInt(bits - longer)), prefix: longer, bits });
}

function extended(prefix: number, newBits: number, bits: number): number {
  if (newBits < 0 || prefix + newBits > bits) throw new TypeError(`not enough remaining address space for a subnet with a prefix of ${prefix + newBits} bits`);
  return prefix + newBits;
}

/** One after the other, each at the next place where a network of its size may begin. */
export function cidrSubnets(text: string, newBits: readonly number[]): readonly string[] {
  const { base, prefix, bits } = parseNetwork(text);
  const end = base + (1n << BigInt(bits - prefix));
  let next = base;
  return newBits.map((more) => {
    const longer = extended(prefix, more, bits);
    const size = 1n << BigInt(bits - longer);
    const start = ((next + size - 1n) / size) * size;
    if (start + size > end)
      throw new TypeError(`not enough remaining address space for a subnet with a prefix of ${longer} bits after ${formatAddress(next, bits)}`);
    next = start + size;
    return formatNetwork({ base: start, prefix: longer, bits });
  });
}
