/** Two layers that should be one: the files that differ, and in what. */
import { createHash } from "node:crypto";
import type { Digest } from "../../oci/digest.ts";
import type { Store } from "../../store/index.ts";
import { readTarMembers, type TarEntry } from "../../tar/index.ts";
import type { FieldDifference, FileDifference } from "../twice-api.ts";

interface Listed {
  readonly entry: TarEntry;
  readonly digest: string;
}

/** Larger contents are told apart, but not where. */
const maxComparedBytes = 64 << 20;

async function listLayer(store: Store, diffId: Digest, signal: AbortSignal): Promise<ReadonlyMap<string, Listed>> {
  const listed = new Map<string, Listed>();
  for await (const { entry, content } of readTarMembers(store.materializer.tar(diffId))) {
    signal.throwIfAborted();
    const hash = createHash("sha256");
    for await (const bytes of content) hash.update(bytes);
    listed.set(entry.path, { entry, digest: hash.digest("hex") });
  }
  return listed;
}

/** At most `limit` files, in the order of their names; and how many there are besides. */
export async function compareLayers(
  store: Store,
  [first, second]: readonly [Digest, Digest],
  limit: number,
  signal: AbortSignal,
): Promise<{ readonly files: readonly FileDifference[]; readonly more: number }> {
  const [one, other] = [await listLayer(store, first, signal), await listLayer(store, second, signal)];
  const differing = [...new Set([...one.keys(), ...other.keys()])].toSorted().flatMap((path) => {
    const fields = compareEntries(one.get(path), other.get(path));
    return fields.length === 0 ? [] : [{ path, fields }];
  });
  const shown = differing.slice(0, limit);
  const contents = shown.filter(({ fields }) => fields.some(({ field }) => field === "content")).map(({ path }) => path);
  const offsets = contents.length === 0 ? new Map<string, number>() : await findOffsets(store, [first, second], new Set(contents), signal);
  const files = shown.map(({ path, fields }): FileDifference => ({
    path: `/${path.replace(/^\.?\//, "")}`,
    fields: fields.map((each) => withOffset(each, offsets.get(path))),
  }));
  if (files.length === 0) return { files: [{ path: "/", fields: [{ field: "order of entries", first: String(first), second: String(second) }] }], more: 0 };
  return { files, more: differing.length - shown.length };
}

function withOffset(difference: FieldDifference, offset: number | undefined): FieldDifference {
  return difference.field !== "content" || offset === undefined ? difference : { ...difference, field: `content at byte ${offset}` };
}

export function compareEntries(one: Listed | undefined, other: Listed | undefined): readonly FieldDifference[] {
  if (one === undefined || other === undefined) {
    const words = (listed: Listed | undefined): string => (listed === undefined ? "absent" : listed.entry.type);
    return [{ field: "presence", first: words(one), second: words(other) }];
  }
  const fields = [...new Set([...facts(one).keys(), ...facts(other).keys()])];
  const [a, b] = [facts(one), facts(other)];
  return fields.flatMap((field) => {
    const [first, second] = [a.get(field) ?? "none", b.get(field) ?? "none"];
    return first === second ? [] : [{ field, first, second }];
  });
}

function facts({ entry, digest }: Listed): ReadonlyMap<string, string> {
  const { type, mode, uid, gid, uname, gname, size, mtimeNs, linkname, devmajor, devminor, xattrs } = entry;
  return new Map([
    ["type", type],
    ["mode", mode.toString(8).padStart(4, "0")],
    ["owner", `${uid}:${gid}`],
    ["owner's name", `${uname}:${gname}`],
    ["mtime", timeText(mtimeNs)],
    ["link", linkname],
    ["device", `${devmajor}:${devminor}`],
    ...[...xattrs].map(([name, value]) => [`xattr ${name}`, Buffer.from(value).toString("hex")] as const),
    ["size", String(size)],
    ["content", `sha256:${digest.slice(0, 12)}`],
  ]);
}

function timeText(ns: bigint): string {
  const seconds = Number(ns / 1_000_000_000n);
  const rest = ns % 1_000_000_000n;
  const date = new Date(seconds * 1000);
  const text = Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString().replace(".000Z", "Z");
  return rest === 0n ? text : `${text} +${rest}ns`;
}

async function contentsOf(store: Store, diffId: Digest, wanted: ReadonlySet<string>, signal: AbortSignal): Promise<ReadonlyMap<string, Buffer>> {
  const contents = new Map<string, Buffer>();
  let total = 0;
  for await (const { entry, content } of readTarMembers(store.materializer.tar(diffId))) {
    signal.throwIfAborted();
    if (!wanted.has(entry.path) || total + entry.size > maxComparedBytes) continue;
    total += entry.size;
    const chunks: Buffer[] = [];
    // slices are valid until the next one only
    for await (const bytes of content) chunks.push(Buffer.from(bytes));
    contents.set(entry.path, Buffer.concat(chunks));
  }
  return contents;
}

async function findOffsets(
  store: Store,
  [first, second]: readonly [Digest, Digest],
  wanted: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const [one, other] = [await contentsOf(store, first, wanted, signal), await contentsOf(store, second, wanted, signal)];
  const offsets = new Map<string, number>();
  for (const path of wanted) {
    const [a, b] = [one.get(path), other.get(path)];
    if (a !== undefined && b !== undefined) offsets.set(path, firstDifference(a, b));
  }
  return offsets;
}

export function firstDifference(a: Uint8Array, b: Uint8Array): number {
  const end = Math.min(a.length, b.length);
  for (let at = 0; at < end; at++) if (a[at] !== b[at]) return at;
  return end;
}
