/** `--chown` and WORKDIR's owner: numbers as they are, names from the base's own passwd and group. */
import { readFileSync } from "node:fs";
import { SlipwayError } from "../base/errors.ts";
import { resolveUser } from "../runtime/user.ts";
import type { Chain, Store } from "../store/index.ts";
import type { Owner } from "./apply-copy.ts";
import { resolveInTree } from "./resolve-path.ts";

const maxTableBytes = 1 << 20;

/**
 * A user without a group has the user's own group: for a name passwd's, for a number the same number. A name that the base
 * does not know is root, an unknown group the user's own: Docker does so too. Where there is no base that could know a name
 * (scratch, --link), it fails with INVALID_OWNER (invalid_argument).
 */
export async function resolveOwner(text: string, chain: Chain, store: Store, signal: AbortSignal | undefined): Promise<Owner> {
  const numeric = /^(\d+)(?::(\d+))?$/.exec(text);
  if (numeric !== null) return { uid: Number(numeric[1]), gid: Number(numeric[2] ?? numeric[1]) };
  const [passwd, group] = await readTables(chain, store, signal);
  const find = (spec: string): Owner | undefined => findOwner(spec, passwd, group, { strictly: chain.length === 0, text });
  const [user, groupName] = splitOwner(text);
  const isNumber = /^\d+$/.test(user);
  const owner = isNumber ? { uid: Number(user), gid: Number(user) } : (find(user) ?? { uid: 0, gid: 0 });
  if (groupName === undefined || (groupName === "" && !isNumber)) return { uid: owner.uid, gid: owner.gid };
  return { uid: owner.uid, gid: find(`0:${groupName}`)?.gid ?? owner.gid };
}

function findOwner(spec: string, passwd: string, group: string, { strictly, text }: { readonly strictly: boolean; readonly text: string }): Owner | undefined {
  try {
    return resolveUser(spec, passwd, group, { forExec: false });
  } catch (error) {
    if (!(error instanceof SlipwayError)) throw error;
    // Docker's words for the input that could know the name
    if (strictly) throw new SlipwayError("invalid_argument", "INVALID_OWNER", "invalid user index: -1", { ...error.details, owner: text }, error);
    return undefined;
  }
}

function splitOwner(text: string): readonly [string, string | undefined] {
  const colon = text.indexOf(":");
  return colon < 0 ? [text, undefined] : [text.slice(0, colon), text.slice(colon + 1)];
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
