/** An SQLite database of a stranger's, as a file of an image has it: read and nothing else. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { SlipwayError } from "../base/errors.ts";

/** The first column of each row. What a schema of theirs could call (triggers, views with functions) is off. Fails with ARCHIVE_CORRUPT (data_loss). */
export function blobsOfSqlite(bytes: Uint8Array, query: string): readonly Buffer[] {
  const directory = mkdtempSync(join(tmpdir(), "slipway-sqlite-"));
  const file = join(directory, "db");
  try {
    const copy = Buffer.from(bytes);
    // a database in write-ahead mode wants files beside it: its last checkpoint is what there is
    if (copy.length > 20 && copy[18] === 2) copy[18] = copy[19] = 1;
    writeFileSync(file, copy, { mode: 0o600 });
    const database = new DatabaseSync(file, { readOnly: true, allowExtension: false, enableForeignKeyConstraints: false });
    try {
      database.exec("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0");
      return database
        .prepare(query)
        .all()
        .flatMap((row) => Object.values(row).slice(0, 1))
        .flatMap((value) => (value instanceof Uint8Array ? [Buffer.from(value)] : []));
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
