/** The mark of steps whose result can change. Pure. */

/** An id as `builder du` prints it has a star where what it names can change. */
export function withoutMark(ref: string): string {
  return ref.replace(/^((?:sha256:)?[0-9a-f]{6,64})\*$/, "$1");
}
