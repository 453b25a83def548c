/** The whole database on its way: as a tar archive, or as an artifact of a registry. What arrives is verified before an index names it. */
import { createReadStream } from "node:fs";
import { SlipwayError } from "../../base/errors.ts";
import { digestOf, hexOf, type Digest } from "../../oci/digest.ts";
import { mediaTypes, type Descriptor } from "../../oci/manifest.ts";
import { parseManifestOrIndex } from "../../oci/parse-manifest.ts";
import { formatReference, parseReference, withDigest } from "../../oci/reference.ts";
import type { RegistryClient } from "../../registry/index.ts";
import type { Store } from "../../store/index.ts";
import { createEntry, encodeHeader, endOfArchive, paddingLength, readTarMembers } from "../../tar/index.ts";
import { formatDatabaseIndex, parseDatabaseIndex, type DatabaseFile, type DatabaseIndex } from "../../trust/advisories/database-index.ts";
import { PackedFile } from "../../trust/advisories/packed-file.ts";
import { replaceIndex, requireIndex } from "./database.ts";

export const artifactType = "application/vnd.slipway.advisories.v1";
const indexType = "application/vnd.slipway.advisories.index.v1+json";
const fileType = "application/vnd.slipway.advisories.ecosystem.v1";
const indexName = "slipway-advisories.json";
const maxFileBytes = 2 ** 31 - 1;

function damaged(what: string, why: string): SlipwayError {
  return new SlipwayError("data_loss", "ADVISORIES_DAMAGED", `advisories of ${what}: ${why}`, { what });
}

/** Fails with NO_DATABASE. The same database gives the same bytes. */
export function* exportDatabase(store: Store): Generator<Buffer> {
  const index = requireIndex(store);
  const member = (path: string, bytes: Buffer): readonly Buffer[] => [
    encodeHeader(createEntry({ type: "file", path, mode: 0o644, size: bytes.length })),
    bytes,
    Buffer.alloc(paddingLength(bytes.length)),
  ];
  yield* member(indexName, Buffer.from(formatDatabaseIndex(index)));
  for (const { digest } of sorted(index)) yield* member(hexOf(digest), store.advisories.read(digest));
  yield endOfArchive;
}

function sorted({ files }: DatabaseIndex): readonly DatabaseFile[] {
  return [...files].sort((a, b) => (a.ecosystem < b.ecosystem ? -1 : 1));
}

/** Whether a file begins as exportDatabase writes one. */
export function isExported(head: Buffer): boolean {
  return head.toString("latin1", 0, indexName.length + 1) === `${indexName}\0`;
}

/** Takes the place of what was here. Fails with ADVISORIES_DAMAGED (data_loss), and as readTarMembers. */
export async function importExported(store: Store, path: string): Promise<DatabaseIndex> {
  let index: DatabaseIndex | undefined;
  const arrived = new Set<Digest>();
  for await (const { entry, content } of readTarMembers(createReadStream(path, { highWaterMark: 256 * 1024 }))) {
    if (entry.size > maxFileBytes) throw damaged(path, "a file in it is too large");
    const bytes = Buffer.concat((await Array.fromAsync(content)).map((part) => Buffer.from(part)));
    if (index === undefined) index = parseDatabaseIndex(bytes);
    else arrived.add(accept(store, index, bytes));
  }
  if (index === undefined) throw damaged(path, "it is empty");
  return await adopt(store, index, arrived);
}

/** A file is one that the index names, with the head that the index says. */
function accept(store: Store, index: DatabaseIndex, bytes: Buffer): Digest {
  const digest = digestOf(bytes);
  const file = index.files.find((one) => one.digest === digest);
  if (file === undefined) throw damaged(digest, "the index names no such file");
  const packed = new PackedFile((offset, length) => bytes.subarray(offset, offset + length), file.ecosystem, file.headDigest);
  if (packed.ecosystem !== file.ecosystem) throw damaged(file.ecosystem, `they are those of ${packed.ecosystem}`);
  return store.advisories.write(bytes);
}

async function adopt(store: Store, index: DatabaseIndex, arrived: ReadonlySet<Digest>): Promise<DatabaseIndex> {
  const missing = index.files.find(({ digest }) => !arrived.has(digest) && !store.advisories.has(digest));
  if (missing !== undefined) throw damaged(missing.ecosystem, "their file did not come");
  return await store.advisories.locked(async () => {
    replaceIndex(store, index);
    return index;
  });
}

interface Carry {
  readonly client: RegistryClient;
  readonly signal?: AbortSignal;
}

/** Answers the artifact's manifest. Files that the registry has are not sent again. */
export async function pushDatabase(
  store: Store,
  name: string,
  { client, signal }: Carry,
): Promise<{ readonly reference: string; readonly descriptor: Descriptor }> {
  const index = requireIndex(store);
  const reference = parseReference(name);
  const call = signal === undefined ? {} : { signal };
  const text = Buffer.from(formatDatabaseIndex(index));
  const blobs: readonly { readonly descriptor: Descriptor; readonly bytes: () => Buffer }[] = [
    { descriptor: { mediaType: mediaTypes.ociEmpty, digest: digestOf("{}"), size: 2 }, bytes: () => Buffer.from("{}") },
    { descriptor: { mediaType: indexType, digest: digestOf(text), size: text.length }, bytes: () => text },
    ...sorted(index).map(({ digest, sizeBytes, ecosystem }) => ({
      descriptor: { mediaType: fileType, digest, size: sizeBytes, annotations: { "org.opencontainers.image.title": ecosystem } },
      bytes: () => store.advisories.read(digest),
    })),
  ];
  for (const { descriptor, bytes } of blobs) {
    await client.pushBlob(reference, descriptor, {
      ...call,
      open: async function* (offset) {
        yield bytes().subarray(offset);
      },
    });
  }
  const [config, ...layers] = blobs.map(({ descriptor }) => descriptor);
  const created = new Date(index.createdSeconds * 1000).toISOString().replace(".000Z", "Z");
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      artifactType,
      config,
      layers,
      annotations: { "org.opencontainers.image.created": created },
    }),
  );
  const { descriptor } = await client.pushManifest(reference, { mediaType: mediaTypes.ociManifest, bytes: manifest }, call);
  return { reference: formatReference(reference), descriptor };
}

/** Only what is not here comes; with a digest the artifact is that one, whatever the name means. Fails with NO_ADVISORIES (invalid_argument), ADVISORIES_DAMAGED (data_loss). */
export async function pullDatabase(
  store: Store,
  name: string,
  { client, signal, digest }: Carry & { readonly digest?: Digest | undefined },
): Promise<DatabaseIndex> {
  const reference = parseReference(name);
  const call = signal === undefined ? {} : { signal };
  const { bytes, descriptor } = await client.resolve(digest === undefined ? reference : withDigest(reference, digest), call);
  const parsed = parseManifestOrIndex(bytes, descriptor.mediaType);
  const layers = parsed.kind === "manifest" ? parsed.manifest.layers : [];
  const [first] = layers;
  if (first?.mediaType !== indexType) {
    throw new SlipwayError("invalid_argument", "NO_ADVISORIES", `${name}: the artifact is no database of advisories`, { name, bare: true });
  }
  const read = async (blob: Descriptor): Promise<Buffer> => {
    if (blob.size > maxFileBytes) throw damaged(name, "a file in it is too large");
    return Buffer.concat((await Array.fromAsync(client.openBlob(reference, blob, call))).map((part) => Buffer.from(part)));
  };
  const index = parseDatabaseIndex(await read(first));
  const arrived = new Set<Digest>();
  for (const layer of layers.slice(1)) {
    if (index.files.some(({ digest }) => digest === layer.digest) && !store.advisories.has(layer.digest)) arrived.add(accept(store, index, await read(layer)));
  }
  const adopted = await adopt(store, index, arrived);
  store.advisories.setOrigin(formatReference(reference));
  return adopted;
}
