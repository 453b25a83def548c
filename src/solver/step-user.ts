/** Who runs a build step, and where: the builder's own rules around those that containers follow. */
import { chownSync, mkdirSync, statSync } from "node:fs";
import { asSlipwayError, SlipwayError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";
import { readRootfsFile } from "../runtime/rootfs-files.ts";
import { resolveUser, type ResolvedUser } from "../runtime/user.ts";

/**
 * Numbers for user and group need no files. Anything else that is named is looked for in the files that the image has; without the
 * file it fails, be it for a number or root. No user at all is root, whatever the files say. Fails as resolveUser() does.
 */
export function resolveStepUser(rootfs: string, spec: string): ResolvedUser {
  const passwd = readRootfsFile(rootfs, "/etc/passwd")?.toString("utf8");
  const group = readRootfsFile(rootfs, "/etc/group")?.toString("utf8");
  const find = (words: string): ResolvedUser => resolveUser(words, passwd ?? "", group ?? "", { forExec: false, inBuild: true });
  if (spec === "" || /^\d+:\d+$/.test(spec)) return find(spec);
  const [user = "", groupWord = ""] = spec.split(":");
  if (passwd === undefined) throw unreadable("USER_NOT_FOUND", `unable to find user ${user === "" ? "0" : user}`);
  const { name } = find(user);
  if (group === undefined && (name !== "" || groupWord !== "")) throw unreadable("GROUP_NOT_FOUND", `unable to find groups for spec ${name}`);
  return find(spec);
}

/** Docker's words for a file that is not there. */
function unreadable(code: string, what: string): SlipwayError {
  return new SlipwayError("invalid_argument", code, printable(`${what}: invalid argument`));
}

/** Where the working directory is missing it is made, and belongs to the user. `path`: relative to the root, free of symlinks. */
export function makeWorkingDirectory(rootfs: string, path: string, user: Pick<ResolvedUser, "uid" | "gid">): void {
  try {
    let made = rootfs;
    for (const part of path.split("/")) {
      made = `${made}/${part}`;
      if (part === "" || statSync(made, { throwIfNoEntry: false }) !== undefined) continue;
      mkdirSync(made, { mode: 0o755 });
      chownSync(made, user.uid, user.gid);
    }
  } catch (error) {
    throw asSlipwayError(error, "failed_precondition", "PROCESS_FAILED");
  }
}
