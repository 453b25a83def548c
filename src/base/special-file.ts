/** Files that are written as they are and never replaced: /dev/null would be a plain file afterwards, for everybody. */
import { statSync } from "node:fs";

/** A device, a pipe or a socket is at the path. */
export function isSpecialFile(path: string): boolean {
  const info = statSync(path, { throwIfNoEntry: false });
  return info !== undefined && !info.isFile() && !info.isDirectory();
}
