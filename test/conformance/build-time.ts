/** Times that a build's own clock gave: they differ from build to build, all others come from its input. */

/** Cases use no time from 2020 on. */
export function isBuildTime(seconds: number): boolean {
  return seconds >= 1_577_836_800;
}

/** Stands for such a time in a path's line. */
export const anyTime = "*";

/** A path's line, its time given away. */
export function withAnyTime(line: string): string {
  return line.replace(/^(\S+ \S+ \S+) \S+/, `$1 ${anyTime}`);
}
