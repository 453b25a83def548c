/** All readers of files that are known by their names. */
import { distributionReaders } from "./distribution-readers.ts";
import { ReaderTable } from "./package-reader.ts";

export const readerTable = new ReaderTable([...distributionReaders]);
