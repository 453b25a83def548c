/** The paths of a layer as a set that is small on disk: 48 bits of each path's SHA-256, sorted. It answers "was it there" and lists nothing. */
import { hash } from "node:crypto";

export function pathHash(path: string): number {
  return hash("sha256", path, "buffer").readUIntBE(0, 6);
}

export class PathSet {
  readonly #sorted: Float64Array;

  constructor(sorted: Float64Array) {
    this.#sorted = sorted;
  }

  /** Takes what pathHash makes of a path: the same path is asked of many layers. */
  has(wanted: number): boolean {
    let [low, high] = [0, this.#sorted.length - 1];
    while (low <= high) {
      const middle = (low + high) >> 1;
      const value = this.#sorted[middle] as number;
      if (value === wanted) return true;
      if (value < wanted) low = middle + 1;
      else high = middle - 1;
    }
    return false;
  }

  toText(): string {
    const bytes = Buffer.alloc(this.#sorted.length * 6);
    this.#sorted.forEach((value, at) => bytes.writeUIntBE(value, at * 6, 6));
    return bytes.toString("base64");
  }

  static fromText(text: string): PathSet {
    const bytes = Buffer.from(text, "base64");
    const sorted = new Float64Array(Math.floor(bytes.length / 6));
    for (let at = 0; at < sorted.length; at++) sorted[at] = bytes.readUIntBE(at * 6, 6);
    return new PathSet(sorted);
  }
}

/** Grows by eight bytes for each path, whatever its length. */
export class PathHashes {
  #hashes = new Float64Array(1024);
  #count = 0;

  add(path: string): void {
    if (this.#count === this.#hashes.length) {
      const larger = new Float64Array(this.#count * 2);
      larger.set(this.#hashes);
      this.#hashes = larger;
    }
    this.#hashes[this.#count++] = pathHash(path);
  }

  toSet(): PathSet {
    return new PathSet(this.#hashes.slice(0, this.#count).sort());
  }
}
