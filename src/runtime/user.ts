/** Turns USER and --user into numbers, with a root file system's own passwd and group. Pure; behaviour measured against Docker. */
import { SlipwayError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";
import type { ProcessUser } from "./spec-options.ts";

export interface ResolvedUser extends ProcessUser {
  /** of the passwd entry, "" when there is none */
  readonly name: string;
  /** home directory of the passwd entry, be it empty; "/" when there is no entry */
  readonly home: string;
}

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

const maxId = 2147483647;

export interface UserPurpose {
  /** `docker exec -u` follows the same rules; what failed is said otherwise */
  readonly forExec: boolean;
  /** RUN's process: BuildKit does not repeat a primary group that the group file lists anyway, the engine does */
  readonly inBuild?: boolean;
}

/**
 * A number wins over a name that looks like one; the primary group is always listed among the additional ones (as Docker does).
 * With an explicit group the user's memberships do not count. Fails with USER_NOT_FOUND, GROUP_NOT_FOUND or ID_OUT_OF_RANGE (invalid_argument).
 */
export function resolveUser(spec: string, passwdText: string, groupText: string, purpose: UserPurpose): ResolvedUser {
  const colon = spec.indexOf(":");
  const userWord = colon === -1 ? spec : spec.slice(0, colon);
  const groupWord = colon === -1 ? "" : spec.slice(colon + 1);
  const user = findUser(userWord, parsePasswd(passwdText), purpose.forExec);
  const groups = parseGroup(groupText);
  if (groupWord !== "") {
    const gid = findGroup(groupWord, groups);
    return { uid: user.uid, gid, additionalGids: [gid], home: user.home, name: user.name };
  }
  const memberships = user.name === "" ? [] : groups.filter((group) => group.members.includes(user.name)).map((group) => group.gid);
  const isListed = purpose.inBuild === true && memberships.includes(user.gid);
  return { uid: user.uid, gid: user.gid, additionalGids: isListed ? memberships : [user.gid, ...memberships], home: user.home, name: user.name };
}

function findUser(word: string, entries: readonly PasswdEntry[], forExec: boolean): PasswdEntry {
  if (word === "") return entries.find((entry) => entry.uid === 0) ?? { name: "", uid: 0, gid: 0, home: "/" };
  const uid = parseId(word);
  if (uid !== undefined) return entries.find((entry) => entry.uid === uid) ?? { name: "", uid, gid: 0, home: "/" };
  const entry = entries.find((candidate) => candidate.name === word);
  if (entry !== undefined) return entry;
  throw new SlipwayError("invalid_argument", "USER_NOT_FOUND", printable(`unable to find user ${word}: no matching entries in passwd file`), {
    user: word,
    forExec,
  });
}

function findGroup(word: string, entries: readonly GroupEntry[]): number {
  const gid = parseId(word);
  if (gid !== undefined) return gid;
  const entry = entries.find((candidate) => candidate.name === word);
  if (entry !== undefined) return entry.gid;
  throw new SlipwayError("invalid_argument", "GROUP_NOT_FOUND", printable(`unable to find group ${word}: no matching entries in group file`), { group: word });
}

function parseId(word: string): number | undefined {
  if (!/^[+-]?\d+$/.test(word)) return undefined;
  const id = Number(word);
  if (id < 0 || id > maxId) throw new SlipwayError("invalid_argument", "ID_OUT_OF_RANGE", `uids and gids must be in range 0-${maxId}`, { id: word });
  return id;
}

function parsePasswd(text: string): PasswdEntry[] {
  return text.split("\n").flatMap((line) => {
    const [name = "", , uid = "", gid = "", , home = ""] = line.trim().split(":");
    return line.trim() === "" ? [] : [{ name, uid: idIn(uid), gid: idIn(gid), home }];
  });
}

function parseGroup(text: string): GroupEntry[] {
  return text.split("\n").flatMap((line) => {
    const [name = "", , gid = "", members = ""] = line.trim().split(":");
    return line.trim() === "" ? [] : [{ name, gid: idIn(gid), members: members.split(",").filter((member) => member !== "") }];
  });
}

/** What is no number counts as 0, what a line lacks likewise. */
function idIn(text: string): number {
  return /^[+-]?\d{1,10}$/.test(text) ? Number(text) : 0;
}
