/** Where in a layer's archive the content of its files is: by the entry's position, hardlinks followed to the file that they name. */
import type { TarEntry } from "../../tar/index.ts";

export class LayerEntries {
  readonly #positions = new Map<string, number>();
  readonly #links = new Map<string, string>();

  /** `entries` in the archive's order, paths clean; later ones replace earlier ones. */
  constructor(entries: readonly TarEntry[]) {
    for (const [position, { path, type, linkname }] of entries.entries()) {
      if (type !== "hardlink") {
        this.#positions.set(path, position);
        this.#links.delete(path);
        continue;
      }
      // what the name has now, not what it gets later
      const target = this.#positions.get(linkname);
      this.#positions.delete(path);
      this.#links.delete(path);
      if (target !== undefined) this.#positions.set(path, target);
      else this.#links.set(path, this.#links.get(linkname) ?? linkname);
    }
  }

  /** The entry's position; the path of a link's target that this layer does not have; undefined where the path is not of this layer. */
  contentOf(path: string): number | string | undefined {
    return this.#positions.get(path) ?? this.#links.get(path);
  }
}
