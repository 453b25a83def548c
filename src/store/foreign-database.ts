/** An SQLite database of a stranger's, as a file of an image has it: read and nothing else. */
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { SlipwayError } from "../base/errors.ts";

/**
 * A column of a table's rows, one at a time. What a schema of theirs could call is off, and a table that is none is refused: a view or a column that
 * is computed makes rows without end of a file of some bytes. Fails with ARCHIVE_CORRUPT (data_loss).
 */
export function* blobsOfSqlite(bytes: Uint8Array, table: string, column: string): Generator<Buffer> {
  const directory = mkdtempSync(join(tmpdir(), "slipway-sqlite-"));
  const file = join(directory, "db");
  try {
    writeFileSync(file, bytes, { mode: 0o600 });
    // a database in write-ahead mode wants files beside it: its last checkpoint is what there is
    if (bytes.length > 20 && bytes[18] === 2) overwrite(file, 18, [1, 1]);
    const database = new DatabaseSync(file, { readOnly: true, allowExtension: false, enableForeignKeyConstraints: false });
    try {
      database.exec("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0");
      if (!isPlainTable(database, table)) throw new Error(`${table} is no plain table`);
      for (const row of database.prepare(`SELECT ${column} FROM ${table} WHERE typeof(${column}) = 'blob'`).iterate()) {
        const [value] = Object.values(row);
        if (value instanceof Uint8Array) yield Buffer.from(value.buffer, value.byteOffset, value.length);
      }
    } finally {
      database.close();
    }
  } catch (error) {
    if (error instanceof SlipwayError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new SlipwayError("data_loss", "ARCHIVE_CORRUPT", `SQLite database: ${why}`, { reason: why }, error);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** As SQLite understands it, whatever the schema's own words for it are. */
function isPlainTable(database: DatabaseSync, table: string): boolean {
  const [found] = database.prepare("SELECT type FROM pragma_table_list WHERE name = ? AND schema = 'main'").all(table);
  const computed = database.prepare("SELECT 1 FROM pragma_table_xinfo(?) WHERE hidden <> 0 LIMIT 1").all(table);
  return found?.["type"] === "table" && computed.length === 0;
}

function overwrite(file: string, at: number, bytes: readonly number[]): void {
  const fd = openSync(file, "r+");
  try {
    writeSync(fd, Buffer.from(bytes), 0, bytes.length, at);
  } finally {
    closeSync(fd);
  }
}
