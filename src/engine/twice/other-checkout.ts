/** The context as somebody else would have it: at another place, with other times, under another umask. */
import { chmodSync, copyFileSync, lstatSync, mkdirSync, readdirSync, readlinkSync, symlinkSync } from "node:fs";
import { isAbsolute, join, relative } from "node:path";
import type { IgnoreMatcher } from "../../dockerfile/ignore.ts";
import { lutimesNs } from "../../store/syscalls.ts";

/** of files that nobody wrote at that time */
const otherTimeNs = 981_173_106n * 1_000_000_000n;

/** Sockets and devices stay behind: a checkout has none. What is ignored whole is not copied. */
export function copyAsOtherCheckout(from: string, to: string, ignore: IgnoreMatcher | undefined, below = ""): void {
  mkdirSync(join(to, below), { recursive: true });
  for (const name of readdirSync(join(from, below))) {
    const path = below === "" ? name : `${below}/${name}`;
    const [source, target] = [join(from, path), join(to, path)];
    const stat = lstatSync(source, { throwIfNoEntry: false });
    if (stat === undefined) continue;
    if (stat.isDirectory()) {
      if (ignore?.matches(path) === true && ignore.canSkipDirectory(path)) continue;
      copyAsOtherCheckout(from, to, ignore, path);
      continue;
    }
    if (stat.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else if (stat.isFile()) {
      copyFileSync(source, target);
      chmodSync(target, (stat.mode & 0o100) === 0 ? 0o600 : 0o700);
    } else continue;
    lutimesNs(target, otherTimeNs, otherTimeNs);
  }
  chmodSync(join(to, below), 0o700);
  lutimesNs(join(to, below), otherTimeNs, otherTimeNs);
}

/** Where a path below `from` is in the copy; others stay. */
export function pathInCopy(path: string, from: string, to: string): string {
  const rest = relative(from, path);
  return isAbsolute(path) && (rest.startsWith("..") || isAbsolute(rest)) ? path : join(to, isAbsolute(path) ? rest : path);
}
