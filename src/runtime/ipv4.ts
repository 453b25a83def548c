/** IPv4 addresses and blocks of them as numbers. Pure. */
export interface Ipv4Block {
  /** the first address */
  readonly base: number;
  readonly prefix: number;
}

/** Undefined for what is no dotted quad. */
export function parseIpv4(text: string): number | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  const bytes = match?.slice(1).map(Number) ?? [];
  if (bytes.length !== 4 || bytes.some((byte) => byte > 255)) return undefined;
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
}

export function formatIpv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}

/** "172.18.0.0/16"; bits after the prefix are cleared. */
export function parseBlock(text: string): Ipv4Block | undefined {
  const [addressText = "", prefixText = "", ...rest] = text.split("/");
  const address = parseIpv4(addressText);
  if (address === undefined || rest.length > 0 || !/^\d{1,2}$/.test(prefixText) || Number(prefixText) > 32) return undefined;
  const prefix = Number(prefixText);
  return { base: address - (address % sizeOf({ prefix })), prefix };
}

export function formatBlock({ base, prefix }: Ipv4Block): string {
  return `${formatIpv4(base)}/${prefix}`;
}

export function sizeOf({ prefix }: Pick<Ipv4Block, "prefix">): number {
  return 2 ** (32 - prefix);
}

export function contains(block: Ipv4Block, address: number): boolean {
  return address >= block.base && address < block.base + sizeOf(block);
}

export function overlaps(a: Ipv4Block, b: Ipv4Block): boolean {
  return contains(a, b.base) || contains(b, a.base);
}

/** Of `range`, which lies in `subnet`: the lowest that is neither taken nor the subnet's first or last. */
export function firstFree(subnet: Ipv4Block, range: Ipv4Block, taken: ReadonlySet<number>): number | undefined {
  const last = subnet.base + sizeOf(subnet) - 1;
  for (let address = range.base; address < range.base + sizeOf(range); address++)
    if (address !== subnet.base && address !== last && !taken.has(address)) return address;
  return undefined;
}

/** In Docker's order: 172.18.0.0/16 to 172.31.0.0/16, then blocks of 192.168.0.0/16. */
export function defaultSubnet(used: readonly Ipv4Block[]): Ipv4Block | undefined {
  const pools = [
    ...Array.from({ length: 14 }, (_, index) => `172.${18 + index}.0.0/16`),
    ...Array.from({ length: 16 }, (_, index) => `192.168.${16 * index}.0/20`),
  ];
  return pools.flatMap((text) => parseBlock(text) ?? []).find((pool) => !used.some((block) => overlaps(pool, block)));
}

/** From the text of /proc/net/route: what the machine reaches by a route of its own. */
export function routedBlocks(routes: string): readonly Ipv4Block[] {
  const swap = (hex: string): number => Number.parseInt(hex.replace(/(..)(..)(..)(..)/, "$4$3$2$1"), 16);
  return routes
    .split("\n")
    .slice(1)
    .flatMap((line): Ipv4Block[] => {
      const [, destination = "", , , , , , mask = ""] = line.split("\t");
      if (!/^[0-9A-F]{8}$/.test(destination) || !/^[0-9A-F]{8}$/.test(mask) || mask === "00000000") return [];
      return [{ base: swap(destination), prefix: swap(mask).toString(2).replaceAll("0", "").length }];
    });
}
