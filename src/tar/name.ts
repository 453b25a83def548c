/** Names in archives are bytes. As text they are UTF-8 where that is lossless, else latin1 with a mark: see TarEntry.path. */
import { isAscii, isUtf8 } from "node:buffer";

export interface ArchiveName {
  readonly text: string;
  /** `text` holds one character per byte */
  readonly raw: boolean;
}

export function nameFromBytes(bytes: Buffer): ArchiveName {
  if (isAscii(bytes)) return { text: bytes.toString("latin1"), raw: false };
  return isUtf8(bytes) ? { text: bytes.toString("utf8"), raw: false } : { text: bytes.toString("latin1"), raw: true };
}

export function bytesOfName(text: string, raw: boolean): Buffer {
  return Buffer.from(text, raw ? "latin1" : "utf8");
}
