/** Where uploads to registries stand, for a later process to go on with: one small file for each, by the name of what is uploaded. */
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { digestOf, hexOf } from "../oci/digest.ts";
import type { StoreLayout } from "./layout.ts";

/** Registries forget sessions after hours or days. */
const lifetimeMs = 24 * 60 * 60 * 1000;

export class UploadSessions {
  readonly #directory: string;

  constructor(layout: StoreLayout) {
    this.#directory = layout.uploads;
  }

  #path(key: string): string {
    return join(this.#directory, hexOf(digestOf(key)));
  }

  load(key: string): string | undefined {
    const path = this.#path(key);
    const modifiedMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (modifiedMs === undefined) return undefined;
    if (Date.now() - modifiedMs < lifetimeMs) return readFileSync(path, "utf8");
    this.forget(key);
    return undefined;
  }

  /** A session's address can hold a token: nobody else reads it. */
  save(key: string, url: string): void {
    const path = this.#path(key);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, url, { mode: 0o600 });
  }

  forget(key: string): void {
    rmSync(this.#path(key), { force: true });
  }
}
