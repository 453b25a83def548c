export type { EntryType, TarEntry } from "./entry.ts";
export { blockSize, paddingLength } from "./block.ts";
export { type ArchiveName, bytesOfName, nameFromBytes } from "./name.ts";
export { createEntry, encodeHeader, endOfArchive } from "./writer.ts";
export { type TarLimits, TarReader, type TarSink } from "./reader.ts";
export { readTarMembers, type TarMember } from "./read.ts";
export { opaqueName, opaquePath, parseWhiteout, type Whiteout, whiteoutPath, whiteoutPrefix } from "./whiteout.ts";
export {
  type Compression,
  decompress,
  decompressDetected,
  type DecompressOptions,
  type Detected,
  detectCompression,
  isTarHeader,
  peek,
  probeSizeBytes,
} from "./compression.ts";
export { compressEstargz, type EstargzResult } from "./estargz.ts";
export { compressGzip, type GzipOptions } from "./gzip.ts";
export { compressZstd, type ZstdOptions } from "./zstd.ts";
