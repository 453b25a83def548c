/** `import`: a root file system's tar becomes an image of one layer, kept as the plain tar: nothing is unpacked. */
import { createReadStream, rmSync } from "node:fs";
import { goJson } from "../../base/canonical-json.ts";
import type { Digest } from "../../oci/digest.ts";
import { hostPlatform, normalizePlatform, parsePlatform } from "../../oci/platform.ts";
import type { Store } from "../../store/index.ts";
import { decompressDetected } from "../../tar/index.ts";
import { formatTime } from "../build/assemble-config.ts";
import { downloadFile } from "../build/download.ts";
import { setFields } from "../images/config-fields.ts";
import { isSlipwayError, SlipwayError } from "../../base/errors.ts";
import { imageEvent } from "../events/tell.ts";
import { familiar, parseTagName } from "../image-names.ts";
import { applyChanges } from "./import-changes.ts";
import { LayerMeter } from "../layer-meter.ts";

export interface ImportOptions {
  readonly reference?: string;
  readonly changes?: readonly string[];
  readonly message?: string;
  readonly platform?: string;
  readonly signal?: AbortSignal;
}

const maxLayerBytes = 2 ** 40;

/** The archive behind an http address; fails with DOWNLOAD_FAILED besides. */
export async function importUrl(store: Store, url: string, options: ImportOptions = {}): Promise<Digest> {
  const path = store.lease().temporaryPath("import");
  try {
    await downloadFile({ url, path, checksum: "", signal: options.signal ?? new AbortController().signal });
    return await importImage(store, createReadStream(path), { ...options, message: options.message ?? `Imported from ${url}` });
  } finally {
    rmSync(path, { force: true });
  }
}

/**
 * Answers the image's id. Fails with INVALID_REFERENCE, INVALID_CHANGE, INVALID_PLATFORM before anything is read, and with the tar
 * reader's codes and TAR_PATH_ESCAPES.
 */
export async function importImage(store: Store, source: AsyncIterable<Uint8Array>, options: ImportOptions = {}): Promise<Digest> {
  const names = options.reference === undefined || options.reference === "" ? [] : [importName(options.reference)];
  const config = applyChanges({}, options.changes ?? []);
  const platform = options.platform === undefined || options.platform === "" ? hostPlatform() : normalizePlatform(parsePlatform(options.platform));
  const diffId = await addLayer(store, source, options.signal);
  const created = formatTime(Date.now());
  const comment = options.message === undefined || options.message === "" ? "Imported from -" : options.message;
  const document = goJson({
    created,
    architecture: platform.architecture,
    os: platform.os,
    variant: platform.variant,
    rootfs: { type: "layers", diff_ids: [diffId] },
    history: [{ created, comment }],
    config: setFields(config),
  });
  const image = store.images.commit({ config: Buffer.from(document), chain: [diffId] }, names);
  store.events.append([...names.map((name) => imageEvent(store, "tag", { image, name: familiar(name) })), imageEvent(store, "import", { image })]);
  return image;
}

function importName(reference: string): string {
  try {
    return parseTagName(reference);
  } catch (error) {
    const digest = isSlipwayError(error, "INVALID_REFERENCE") && error.details["bare"] === true;
    throw digest ? new SlipwayError("invalid_argument", "INVALID_IMAGE_NAME", "cannot import digest reference", { reference }, error) : error;
  }
}

/** The diffID is the digest of the plain bytes; the archive is checked on the way. */
async function addLayer(store: Store, source: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined): Promise<Digest> {
  const meter = new LayerMeter();
  using ingest = store.blobs.ingest();
  const { bytes } = await decompressDetected(source, { maxBytes: maxLayerBytes, ...(signal === undefined ? {} : { signal }) });
  for await (const chunk of bytes) {
    meter.push(chunk);
    ingest.write(chunk);
  }
  const sizeBytes = meter.finish();
  const { digest } = ingest.commit();
  store.layers.addTar(digest, sizeBytes);
  return digest;
}
