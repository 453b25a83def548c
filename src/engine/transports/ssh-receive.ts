/** The other end of a push over ssh: says which layers are here, loads the archive with the others. @see ssh-target.ts */
import { SlipwayError, asSlipwayError } from "../../base/errors.ts";
import { isDigest } from "../../oci/digest.ts";
import type { Store } from "../../store/index.ts";
import { loadImages } from "../archive/load.ts";
import { readLine } from "./first-line.ts";

const maxLineBytes = 4 * 1024 * 1024;

/** What fails is told to the other side, and thrown. */
export async function receiveImage(
  store: Store,
  input: AsyncIterable<Uint8Array>,
  answer: (line: string) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  try {
    const lines = readLine(input, maxLineBytes);
    await answer(JSON.stringify({ have: layersHere(store, await lines.next()) }));
    const { loaded } = await loadImages(store, lines.rest(), signal === undefined ? {} : { signal });
    await answer(JSON.stringify({ loaded }));
  } catch (error) {
    const { kind, code, message } = asSlipwayError(error);
    await answer(JSON.stringify({ error: { kind, code, message } }));
    throw error;
  }
}

/** Layers that are here stay while this process lives. Fails with RECEIVE_PROTOCOL (invalid_argument). */
function layersHere(store: Store, line: string | undefined): readonly string[] {
  const asked = parseAsked(line);
  return asked.filter((digest) => {
    const diffId = isDigest(digest) ? store.layers.diffIdOfBlob(digest) : undefined;
    if (diffId === undefined || !store.layers.has(diffId)) return false;
    store.layers.hold([diffId]);
    return true;
  });
}

function parseAsked(line: string | undefined): readonly string[] {
  try {
    const { protocol, blobs } = JSON.parse(line ?? "") as { readonly protocol?: unknown; readonly blobs?: unknown };
    if (protocol === 1 && Array.isArray(blobs)) return blobs.filter((digest) => typeof digest === "string");
  } catch {
    // no JSON: told below
  }
  throw new SlipwayError("invalid_argument", "RECEIVE_PROTOCOL", "the other side speaks another protocol: it runs another version of slipway", {});
}
