/** The paths of a layer as a set that is small on disk: 48 bits of each path's SHA-256, sorted. It answers "was it there" and lists nothing. */
import { hash } from "node:crypto";

export function pathHash(path: string): number {
  return hash("sha256", path, "buffer").readUIntBE(0, 6);
}

export class PathSet {
  /** as it is kept, until something is asked: nothing is of an image's lowest layer */
  #text: string | undefined;
  #sorted: Float64Array;

  constructor(sorted: Float64Array) {
    this.#sorted = sorted;
  }

  /** Takes what pathHash makes of a path: the same path is asked of many layers. */
  has(wanted: number): boolean {
    const sorted = this.#decoded();
    let [low, high] = [0, sorted.length - 1];
    while (low <= high) {
      const middle = (low + high) >> 1;
      const value = sorted[middle] as number;
      if (value === wanted) return true;
      if (value < wanted) low = middle + 1;
      else high = middle - 1;
    }
    return false;
  }

  #decoded(): Float64Array {
    if (this.#text === undefined) return this.#sorted;
    const bytes = Buffer.from(this.#text, "base64");
    const sorted = new Float64Array(Math.floor(bytes.length / 6));
    for (let at = 0; at < sorted.length; at++) sorted[at] = bytes.readUIntBE(at * 6, 6);
    [this.#sorted, this.#text] = [sorted, undefined];
    return sorted;
  }

  toText(): string {
    const sorted = this.#decoded();
    const bytes = Buffer.alloc(sorted.length * 6);
    sorted.forEach((value, at) => bytes.writeUIntBE(value, at * 6, 6));
    return bytes.toString("base64");
  }

  static fromText(text: string): PathSet {
    const set = new PathSet(new Float64Array());
    set.#text = text;
    return set;
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
