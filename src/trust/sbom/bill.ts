/** What bills of either format are made from, and what they have in common. */
import { createHash } from "node:crypto";
import { formatOrigin, type ImageInventory } from "../packages/image-inventory.ts";
import type { ImagePackage } from "../packages/package.ts";

export interface Bill {
  readonly image: ImageInventory;
  /** of the document, seconds */
  readonly createdSeconds: number;
  readonly tool: { readonly name: string; readonly version: string };
}

/** The same content gives the same id: SHA-256's first bits, marked as a UUID of one's own making (version 8). */
export function uuidOf(content: Iterable<unknown>): string {
  const hash = createHash("sha256");
  for (const one of content) hash.update(JSON.stringify(one)).update("\n");
  const hex = hash.digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

const [firstSecond, lastSecond] = [Date.parse("0001-01-01T00:00:00Z") / 1000, Date.parse("9999-12-31T23:59:59Z") / 1000];

/** What has no year of four digits is no time of either format: the nearest that is one. */
export function timeOf(seconds: number): string {
  return `${new Date(Math.min(Math.max(seconds, firstSecond), lastSecond) * 1000).toISOString().slice(0, 19)}Z`;
}

/** undefined for what is no address: packages say anything of their home. */
export function homepageOf({ homepage = "" }: ImagePackage): string | undefined {
  const isUri = /^https?:\/\/(?:[\w.~:/?@!$&'()*+,;=-]|%[0-9a-f]{2})+(?:#[\w.~:/?@!$&'()*+,;=-]*)?$/i.test(homepage);
  return isUri && URL.canParse(homepage) ? homepage : undefined;
}

/** How a package came into the image, as names and values. */
export function facts(image: ImageInventory, found: ImagePackage): readonly (readonly [name: string, value: string])[] {
  const layer = image.layers[found.layer];
  const { source } = found;
  const isImage = image.kind === undefined;
  const pairs: readonly (readonly [string, string | undefined])[] = [
    ["layer:index", isImage ? String(found.layer) : undefined],
    ["layer:diffID", isImage ? layer?.diffId : undefined],
    ["layer:origin", formatOrigin(layer)],
    ["layer:fromBase", layer?.fromBase === undefined ? undefined : String(layer.fromBase)],
    ["path", `/${found.path}`],
    ["owner", found.owner],
    ["source:name", source?.name],
    ["source:version", source?.version],
    ["module", found.module],
    ["bundled", found.bundled],
    ["locked", found.locked === true ? "true" : undefined],
  ];
  return pairs.flatMap(([name, value]) => (value === undefined || value === "" ? [] : [[name, value] as const]));
}
