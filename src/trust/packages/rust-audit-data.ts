/** The crates that a Rust program was built from, where cargo-auditable put them into it: zlib-packed JSON in the section `.dep-v0`. */
import { inflateSync } from "node:zlib";
import { Fields, parseJsonObject } from "../../oci/bounded-json.ts";
import type { FoundPackage } from "./package.ts";

const maxBytes = 8 * 2 ** 20;

/** What only the build needed is left out: it is not in the program. */
export function readRustCrates(section: Buffer | undefined): readonly FoundPackage[] {
  if (section === undefined || section.length === 0) return [];
  const text = inflateSync(section, { maxOutputLength: maxBytes });
  const root = new Fields(parseJsonObject(text, "list of crates", { maxBytes, maxDepth: 16 }), "list of crates");
  return (root.children("packages") ?? [])
    .filter((crate) => crate.string("kind") !== "build")
    .map((crate) => ({ type: "cargo", name: crate.requiredString("name"), version: crate.requiredString("version") }));
}
