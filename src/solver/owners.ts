/** `--chown` and WORKDIR's owner: numbers as they are, names from the base's own passwd and group. */
import { readFileSync } from "node:fs";
import { SlipwayError } from "../base/errors.ts";
import type { Chain, Store } from "../store/index.ts";
import type { Owner } from "./apply-copy.ts";
import { resolveInTree } from "./resolve-path.ts";

const maxTableBytes = 1 << 20;
const maxId = 0x7fffffff;

/**
 * A user without a group has the user's own group: for a name passwd's, for a number the same number. A name that the base
 * does not know is root, an unknown group the user's own: Docker does so too. Where there is no base that could know a name
 * (scratch, --link), it fails with INVALID_OWNER (invalid_argument).
 */
export async function resolveOwner(text: string, chain: Chain, store: Store, signal: AbortSignal | undefined): Promise<Owner> {
  const colon = text.indexOf(":");
  const user = parsePart(colon < 0 ? text : text.slice(0, colon));
  const group = colon < 0 ? undefined : parsePart(text.slice(colon + 1));
  if (typeof user !== "string" && typeof group !== "string") return { uid: idOf(user), gid: idOf(group ?? user) };
  if (chain.length === 0) {
    throw new SlipwayError("invalid_argument", "INVALID_OWNER", "invalid user index: -1", { owner: text });
  }
  const [passwd, groups] = await readTables(chain, store, signal);
  const owner = typeof user === "string" ? (findUser(passwd, user) ?? { uid: 0, gid: 0 }) : { uid: idOf(user), gid: idOf(user) };
  return { uid: owner.uid, gid: typeof group === "string" ? (findGroup(groups, group) ?? owner.gid) : idOf(group ?? owner.gid) };
}

/** What Go's ParseInt takes as 32 bits is a number; nothing and "root" are 0. */
function parsePart(text: string): number | string {
  if (text === "" || text === "root") return 0;
  const number = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  return number <= maxId && number >= -maxId - 1 ? number : text;
}

/** -1 is the kernel's word for "as it is", and what was just made is root's; other negative numbers wrap. */
function idOf(number: number): number {
  return number === -1 ? 0 : number >>> 0;
}

/** The first line with that name counts, whatever it lacks: missing and malformed numbers are 0. */
function findUser(passwd: string, name: string): Owner | undefined {
  const fields = findLine(passwd, name);
  return fields === undefined ? undefined : { uid: numberOf(fields[2]), gid: numberOf(fields[3]) };
}

function findGroup(groups: string, name: string): number | undefined {
  const fields = findLine(groups, name);
  return fields === undefined ? undefined : numberOf(fields[2]);
}

function findLine(table: string, name: string): readonly string[] | undefined {
  const lines = table.split("\n").map((line) => line.trim());
  return lines.find((line) => line === name || line.startsWith(`${name}:`))?.split(":");
}

function numberOf(field: string | undefined): number {
  return field !== undefined && /^\d{1,18}$/.test(field) ? Number(BigInt(field) & 0xffffffffn) : 0;
}

async function readTables(chain: Chain, store: Store, signal: AbortSignal | undefined): Promise<readonly [passwd: string, group: string]> {
  const view = await store.materializer.readableView(chain, signal);
  const read = (path: string): string => {
    const node = view.lookup(resolveInTree(view, path));
    if (node?.type !== "file" || node.diskPath === undefined || node.size > maxTableBytes) return "";
    return readFileSync(node.diskPath, "utf8");
  };
  return [read("etc/passwd"), read("etc/group")];
}
