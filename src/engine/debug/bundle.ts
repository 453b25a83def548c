/**
 * A failed step as one file that opens on another machine: a tar of the step's record and of the layers that it names, each as a blob whose
 * name is its digest. Secrets and proxies' values are not in it, since the record does not have them.
 */
import type { Digest } from "../../oci/digest.ts";
import { digestOf, hexOf } from "../../oci/digest.ts";
import type { KeptStep, Store } from "../../store/index.ts";
import { createEntry, decompressDetected, encodeHeader, endOfArchive, paddingLength } from "../../tar/index.ts";
import { ArchiveMembers } from "../archive/archive-members.ts";
import { layerBlob } from "../archive/layer-forms.ts";
import { addLayer } from "../archive/load.ts";
import { keptSteps, layersOfRecord, type StepRecord } from "../../solver/step-record.ts";
import { invalidBundle, parseBundle } from "./parse-bundle.ts";
import { settleStep, withCaches } from "./settle-step.ts";

const recordName = "slipway-step.json";
const maxBundleBytes = 2 ** 40;

export async function* writeBundle(store: Store, step: KeptStep<StepRecord>): AsyncGenerator<Uint8Array> {
  const record = withCaches(store, settleStep(store, step));
  const layers: { readonly diffId: Digest; readonly digest: Digest; readonly size: number }[] = [];
  for (const diffId of layersOfRecord(record)) {
    const { digest, size } = await layerBlob(store, diffId);
    layers.push({ diffId, digest, size });
  }
  const document = Buffer.from(JSON.stringify({ version: 1, id: step.id, record, layers: layers.map(({ diffId, digest }) => ({ diffId, digest })) }));
  yield encodeHeader(createEntry({ type: "file", path: recordName, size: document.length }));
  yield Buffer.concat([document, Buffer.alloc(paddingLength(document.length))]);
  for (const { digest, size } of new Map(layers.map((layer) => [layer.digest, layer])).values()) {
    yield encodeHeader(createEntry({ type: "file", path: blobPath(digest), size }));
    yield* store.blobs.verified(digest);
    yield Buffer.alloc(paddingLength(size));
  }
  yield endOfArchive;
}

function blobPath(digest: Digest): string {
  return `blobs/sha256/${hexOf(digest)}`;
}

/**
 * Keeps the step of a bundle under its id; one that is here already is taken. What a bundle may not decide is as for any build: the step has neither
 * more rights nor the host's network. Fails with BUNDLE_INVALID (invalid_argument) and as loading an archive does; then nothing is kept.
 */
export async function readBundle(store: Store, source: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<KeptStep<StepRecord>> {
  const members = new ArchiveMembers(store);
  const { bytes } = await decompressDetected(source, { maxBytes: maxBundleBytes, ...(signal === undefined ? {} : { signal }) });
  await members.read(bytes, signal);
  const document = members.document(recordName);
  if (document === undefined) throw invalidBundle(`it has no ${recordName}`);
  const { record, layers } = parseBundle(document);
  const steps = keptSteps(store);
  // another bundle cannot take the place of a step that is here
  const id = hexOf(digestOf(document));
  const known = steps.get(id);
  if (known !== undefined) return known;
  for (const diffId of layersOfRecord(record)) {
    const blob = layers.get(diffId);
    if (blob === undefined) throw invalidBundle(`it lacks the layer ${diffId}`);
    await addLayer(store, members, blobPath(blob), diffId, signal);
  }
  const step = steps.begin(record, layersOfRecord(record), id);
  steps.keep(id, record);
  return { ...step, life: "ended" };
}
