/** Reads small files inside a root file system without ever leaving it. Synchronous: only this thread sees our mounts. */
import { SlipwayError } from "../base/errors.ts";

/** Undefined when the file is not there or is no regular file. FILE_TOO_LARGE beyond the bound (default 1 MiB). */
export function readRootfsFile(rootfs: string, path: string, maxBytes = 1 << 20): Buffer | undefined {
  throw new SlipwayError("internal", "NOT_IMPLEMENTED", rootfs + path + maxBytes);
}
