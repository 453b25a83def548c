/** An SQLite database of a stranger's, as a file of an image has it: read and nothing else. */
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { SlipwayError } from "../base/errors.ts";

/** The first column of each row, one at a time. What a schema of theirs could call (triggers, views with functions) is off. Fails with ARCHIVE_CORRUPT (data_loss). */
export function* blobsOfSqlite(bytes: Uint8Array, query: string): Generator<Buffer> {
  const directory = mkdtempSync(join(tmpdir(), "slipway-sqlite-"));
  const file = join(directory, "db");
  try {
    writeFileSync(file, bytes, { mode: 0o600 });
    // a database in write-ahead mode wants files beside it: its last checkpoint is what there is
    if (bytes.length > 20 && bytes[18] === 2) overwrite(file, 18, [1, 1]);
    const database = new DatabaseSync(file, { readOnly: true, allowExtension: false, enableForeignKeyConstraints: false });
    try {
      database.exec("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0");
      for (const row of database.prepare(query).iterate()) {
        const [value] = Object.values(row);
        if (value instanceof Uint8Array) yield Buffer.from(value.buffer, value.byteOffset, value.length);
      }
    } finally {
      database.close();
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new SlipwayError("data_loss", "ARCHIVE_CORRUPT", `SQLite database: ${why}`, { reason: why }, error);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function overwrite(file: string, at: number, bytes: readonly number[]): void {
  const fd = openSync(file, "r+");
  try {
    writeSync(fd, Buffer.from(bytes), 0, bytes.length, at);
  } finally {
    closeSync(fd);
  }
}
