/** What the examples share: a store that is thrown away, and a folder for a context. Your program would just open its own. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Slipway } from "slipway";

export interface Workplace extends AsyncDisposable {
  readonly slipway: Slipway;
  readonly directory: string;
  /** writes the files and answers the folder's path */
  context(files: Readonly<Record<string, string>>): string;
}

export async function createWorkplace(): Promise<Workplace> {
  const directory = mkdtempSync(path.join(tmpdir(), "slipway-example-"));
  const slipway = await Slipway.open({ root: path.join(directory, "store") });
  return {
    slipway,
    directory,
    context(files) {
      const folder = path.join(directory, "context");
      mkdirSync(folder, { recursive: true });
      for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
      return folder;
    },
    async [Symbol.asyncDispose]() {
      await slipway.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
