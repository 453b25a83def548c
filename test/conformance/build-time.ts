/** Times that a build's own clock gave: they differ from build to build, all others come from its input. */

/** The start of 2020: recorded cases use no time from then on. */
export const afterAllInputs = 1_577_836_800;

/** `since` is when building began, or any time that is later than all of the input's. */
export function isBuildTime(seconds: number, since: number): boolean {
  return seconds >= since;
}

/** Stands for such a time in a path's line. */
export const anyTime = "*";

/** A path's line, its time given away. */
export function withAnyTime(line: string): string {
  return line.replace(/^(\S+ \S+ \S+) \S+/, `$1 ${anyTime}`);
}
