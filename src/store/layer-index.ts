/** A layer's entries without their contents, as a file: one JSON array a line. Made in the pass that reads the archive anyway. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { errnoOf } from "../base/errors.ts";
import type { Digest } from "../oci/digest.ts";
import type { EntryType, TarEntry } from "../tar/entry.ts";
import { indexPath, storeError, type StoreLayout } from "./layout.ts";

/** Changing the fields' order or meaning needs another word here. */
const header = "slipway-layer-index 1";

type Line = readonly [
  type: EntryType,
  path: string,
  mode: number,
  uid: number,
  gid: number,
  size: number,
  mtimeNs: string,
  linkname: string,
  devmajor: number,
  devminor: number,
  xattrs: readonly (readonly [string, string])[],
];

export function formatIndex(entries: Iterable<TarEntry>): string {
  const lines = [header];
  for (const e of entries) {
    const xattrs = [...e.xattrs].map(([name, value]) => [name, Buffer.from(value).toString("base64")] as const);
    const line: Line = [e.type, e.path, e.mode, e.uid, e.gid, e.size, String(e.mtimeNs), e.linkname, e.devmajor, e.devminor, xattrs];
    lines.push(JSON.stringify(line));
  }
  return `${lines.join("\n")}\n`;
}

/** undefined when the text is of another version. */
export function parseIndex(text: string): readonly TarEntry[] | undefined {
  const lines = text.split("\n");
  if (lines[0] !== header) return undefined;
  const entries: TarEntry[] = [];
  for (let i = 1; i < lines.length - 1; i++) {
    const [type, path, mode, uid, gid, size, mtime, linkname, devmajor, devminor, xattrs] = JSON.parse(lines[i] ?? "") as Line;
    entries.push({
      type,
      path,
      rawName: false,
      linkname,
      rawLinkname: false,
      mode,
      uid,
      gid,
      uname: "",
      gname: "",
      size,
      mtimeNs: BigInt(mtime),
      devmajor,
      devminor,
      xattrs: new Map(xattrs.map(([name, value]) => [name, Buffer.from(value, "base64")])),
    });
  }
  return entries;
}

export function readIndex(layout: StoreLayout, diffId: Digest): readonly TarEntry[] | undefined {
  try {
    return parseIndex(readFileSync(indexPath(layout, diffId), "utf8"));
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Replaces what was there; readers see the old file or the new one. `temporary` lies on the store's file system. */
export function writeIndex(layout: StoreLayout, diffId: Digest, entries: Iterable<TarEntry>, temporary: string): void {
  try {
    writeFileSync(temporary, formatIndex(entries));
    renameSync(temporary, indexPath(layout, diffId));
  } catch (error) {
    throw storeError(error, layout.root);
  }
}
