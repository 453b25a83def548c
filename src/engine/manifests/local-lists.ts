/** Manifest lists that are being made, each a file of the store: what `manifest create` begins and `manifest push` ends. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SlipwayError, errnoOf } from "../../base/errors.ts";
import { digestOf, hexOf } from "../../oci/digest.ts";
import type { Descriptor } from "../../oci/manifest.ts";

export interface ListedManifest {
  /** the full name under which it was named */
  readonly ref: string;
  /** with the platform that the list will say */
  readonly descriptor: Descriptor;
  /** base64 of the manifest's bytes */
  readonly raw: string;
}

export interface LocalList {
  readonly name: string;
  readonly manifests: readonly ListedManifest[];
}

export class LocalLists {
  readonly #directory: string;

  constructor(storeRoot: string) {
    this.#directory = join(storeRoot, "manifest-lists");
  }

  /** Names hold characters that files' names do not. */
  #path(name: string): string {
    return join(this.#directory, `${hexOf(digestOf(name))}.json`);
  }

  get(name: string): LocalList | undefined {
    try {
      return JSON.parse(readFileSync(this.#path(name), "utf8")) as LocalList;
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return undefined;
      throw new SlipwayError("data_loss", "STORE_CORRUPT", `the manifest list ${name} cannot be read`, { name, path: this.#path(name) }, error);
    }
  }

  /** Readers see the list as it was or as it is. */
  put(list: LocalList): void {
    mkdirSync(this.#directory, { recursive: true });
    const path = this.#path(list.name);
    const partial = `${path}.partial-${process.pid}`;
    writeFileSync(partial, JSON.stringify(list));
    renameSync(partial, path);
  }

  remove(name: string): boolean {
    try {
      rmSync(this.#path(name));
      return true;
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return false;
      throw error;
    }
  }
}
