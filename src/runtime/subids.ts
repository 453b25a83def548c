/** The ranges of ids that an ordinary user may map: /etc/subuid and /etc/subgid. Pure. @see subuid(5) */

export interface IdRange {
  readonly start: number;
  readonly count: number;
}

/** Ids 0 … 65535 are what images use; a smaller range still helps. */
const enough = 65_536;

/** All ranges of the user, by name or number, in the order of the file. */
export function parseSubids(text: string, user: { readonly name: string; readonly uid: number }): IdRange[] {
  return text.split("\n").flatMap((line) => {
    const match = /^([^:#]+):(\d{1,10}):(\d{1,10})\s*$/.exec(line.trim());
    const [, owner, start, count] = match ?? [];
    if (start === undefined || count === undefined || (owner !== user.name && owner !== String(user.uid))) return [];
    return Number(count) > 0 ? [{ start: Number(start), count: Number(count) }] : [];
  });
}

/** Arguments of newuidmap/newgidmap after the pid: 0 is the user's own id, 1… the ranges one after the other. */
export function mapArguments(ownId: number, ranges: readonly IdRange[]): string[] {
  const args = ["0", String(ownId), "1"];
  let inside = 1;
  for (const { start, count } of ranges) {
    args.push(String(inside), String(start), String(count));
    inside += count;
  }
  return args;
}

export function coversImages(ranges: readonly IdRange[]): boolean {
  return ranges.reduce((sum, { count }) => sum + count, 1) >= enough;
}
