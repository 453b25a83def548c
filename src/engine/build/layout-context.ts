/** `--build-context name=oci-layout://DIRECTORY[@digest|:tag]`: the layout's image, brought into the store without a name. */
import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { SlipwayError } from "../../base/errors.ts";
import type { Digest } from "../../oci/digest.ts";
import type { ResolvedImage } from "../../graph/lowering.ts";
import type { Platform } from "../../oci/platform.ts";
import type { Store } from "../../store/index.ts";
import { createEntry, encodeHeader, endOfArchive } from "../../tar/writer.ts";
import { loadImages } from "../archive/load.ts";
import type { PolicyGate } from "../policy-gate.ts";
import { ownVariant, variantFor } from "../images/variants.ts";

interface LayoutCall {
  readonly store: Store;
  /** undefined: nothing is to be made of it */
  readonly gate: PolicyGate | undefined;
  readonly signal: AbortSignal;
}

/** Fails with INVALID_CONTEXT when the directory is no layout or holds no such image, with POLICY_REFUSED, and as load does. */
export async function layoutImage(call: LayoutCall, name: string, value: string, platform: Platform): Promise<ResolvedImage> {
  const { store, gate, signal } = call;
  const [, directory = "", wanted] = /^oci-layout:\/\/(.*?)(?:[@](sha256:[0-9a-f]{64}))?$/.exec(value) ?? [];
  if (statSync(join(directory, "index.json"), { throwIfNoEntry: false }) === undefined) {
    throw new SlipwayError(
      "invalid_argument",
      "INVALID_CONTEXT",
      `failed to get build context ${name}: ${directory} is not an OCI layout: it has no index.json`,
      { name, directory },
    );
  }
  const { loaded } = await loadImages(store, tarOfDirectory(directory), { signal, names: false });
  const ids = loaded.flatMap((image) => ("id" in image ? [image.id] : []));
  const id =
    wanted === undefined
      ? ids[0]
      : ids.find((candidate) => [candidate, store.images.get(candidate)?.manifest, store.indexes.get(candidate)?.document].includes(wanted as Digest));
  if (id === undefined)
    throw new SlipwayError("not_found", "INVALID_CONTEXT", `failed to get build context ${name}: no image ${wanted ?? ""} in ${directory}`, {
      name,
      directory,
    });
  const { image } = variantFor(store, id, platform) ?? ownVariant(store, id);
  await gate?.here("build", value, { id, used: image }, signal);
  return { reference: `${name}@${id}`, config: store.images.config(image), chain: store.images.chain(image), platform };
}

const chunkBytes = 256 * 1024;

/** Where a layout has files, and no deeper: what else lies there, links in circles too, is no part of it. */
function layoutPaths(root: string): readonly string[] {
  const namesIn = (directory: string): readonly string[] =>
    statSync(join(root, directory), { throwIfNoEntry: false })?.isDirectory() === true
      ? readdirSync(join(root, directory)).map((name) => join(directory, name))
      : [];
  return [...namesIn("."), ...namesIn("blobs").flatMap(namesIn)].sort();
}

/** Regular files only: a layout has nothing else. */
async function* tarOfDirectory(root: string): AsyncGenerator<Uint8Array> {
  for (const path of layoutPaths(root)) {
    const stat = statSync(join(root, path), { throwIfNoEntry: false });
    if (stat?.isFile() !== true) continue;
    yield encodeHeader(createEntry({ type: "file", path, size: stat.size }));
    yield* content(join(root, path), stat.size);
  }
  yield endOfArchive;
}

function* content(path: string, size: number): Generator<Uint8Array> {
  const fd = openSync(path, "r");
  try {
    for (let at = 0; at < size;) {
      const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, size - at));
      const read = readSync(fd, buffer, 0, buffer.length, at);
      if (read === 0) throw new SlipwayError("conflict", "FILE_CHANGED", `${path} shrank while it was read`, { path });
      yield buffer.subarray(0, read);
      at += read;
    }
    if (size % 512 > 0) yield Buffer.alloc(512 - (size % 512));
  } finally {
    closeSync(fd);
  }
}
