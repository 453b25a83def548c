/**
 * What images and containers hold must not depend on the mask of whoever builds or runs them; the files that he asks for are his, and do.
 * A mask belongs to the whole process, and programs that are started inherit it.
 */

/** Docker's daemon works under it. */
const ofImages = 0o022;
let ofUser: number | undefined;

/** From now on the process makes files under the mask of images. Again: nothing. In a worker thread, which may not, nothing either. */
export function takeImageUmask(): void {
  if (ofUser !== undefined) return;
  try {
    ofUser = process.umask(ofImages);
  } catch {
    // a worker: its program decides
  }
}

/** The mode of a new file or directory that the user asked for by name. */
export function userMode(kind: "file" | "directory"): number {
  return (kind === "file" ? 0o666 : 0o777) & ~(ofUser ?? process.umask());
}
