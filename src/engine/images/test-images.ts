/** What the tests of these folders share: a store of their own, and images of a few bytes. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { digestOf, type Digest } from "../../oci/digest.ts";
import type { ContainerConfig, HistoryEntry } from "../../oci/image-config.ts";
import { mediaTypes } from "../../oci/manifest.ts";
import { neverStarted } from "../../runtime/container-create.ts";
import type { ContainerRecord } from "../../runtime/container-records.ts";
import { startTimeTicks } from "../../runtime/death-watch.ts";
import { Store } from "../../store/index.ts";
import { commitIndex } from "./image-index.ts";
import { createEntry, encodeHeader, endOfArchive, paddingLength } from "../../tar/index.ts";

/** In memory where there is such a place: on a disk these tests wait for fsync and for nothing else. */
const temporary = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** A store in a directory of its own; gone with the block. */
export class TestStore implements Disposable {
  readonly root = mkdtempSync(join(temporary, "slipway-engine-"));
  #store = Store.open(join(this.root, "store"));

  get store(): Store {
    return this.#store;
  }

  /** As the next process sees it: what this one held by lease only is free to go. */
  reopen(): Store {
    this.#store.close();
    this.#store = Store.open(join(this.root, "store"));
    return this.#store;
  }

  [Symbol.dispose](): void {
    this.#store.close();
    rmSync(this.root, { recursive: true, force: true });
  }
}

export function openTestStore(): TestStore {
  return new TestStore();
}

/** Files as one tar; a value of "→x" is a symbolic link to x. */
export function tarOf(files: Readonly<Record<string, string | Uint8Array>>): Buffer {
  const members = Object.entries(files).map(([path, content]) => {
    if (typeof content === "string" && content.startsWith("→")) return encodeHeader(createEntry({ type: "symlink", path, linkname: content.slice(1) }));
    const bytes = Buffer.from(content);
    return Buffer.concat([encodeHeader(createEntry({ type: "file", path, size: bytes.length })), bytes, Buffer.alloc(paddingLength(bytes.length))]);
  });
  return Buffer.concat([...members, endOfArchive]);
}

export interface TestImage {
  readonly names?: readonly string[];
  /** one layer each: the content of its file "f" */
  readonly layers?: readonly string[];
  readonly created?: string;
  readonly config?: ContainerConfig;
  readonly history?: readonly HistoryEntry[];
  readonly architecture?: string;
  /** how layers lie in the store; default plain */
  readonly form?: "plain" | "gzip";
}

export function testLayer(content: string): Buffer {
  return tarOf({ f: content });
}

export function configOf(image: TestImage): Buffer {
  const diffIds = (image.layers ?? ["one"]).map((content) => digestOf(testLayer(content)));
  const { created = "2024-05-01T10:00:00Z", config = {}, history = [], architecture = "amd64" } = image;
  return Buffer.from(JSON.stringify({ created, architecture, os: "linux", config, rootfs: { type: "layers", diff_ids: diffIds }, history }));
}

export function addLayer(store: Store, content: string, form: "plain" | "gzip" = "plain"): Digest {
  const plain = testLayer(content);
  const diffId = digestOf(plain);
  if (form === "plain") {
    store.blobs.put(plain);
    store.layers.addTar(diffId, content.length);
  } else {
    const { digest, size } = store.blobs.put(gzipSync(plain));
    store.layers.addBlob(diffId, { mediaType: mediaTypes.dockerLayerGzip, digest, size }, content.length);
  }
  return diffId;
}

/** Names are full references. */
export function addImage(store: Store, image: TestImage = {}): Digest {
  const chain = (image.layers ?? ["one"]).map((content) => addLayer(store, content, image.form));
  return store.images.commit({ config: configOf(image), chain }, image.names ?? []);
}

/** A container's row; a running one is this very process. */
export function addContainer(store: Store, imageId: Digest, options: { readonly id?: string; readonly running?: boolean } = {}): string {
  const id = (options.id ?? "c").repeat(64).slice(0, 64);
  const running = { ...neverStarted, status: "running", pid: process.pid, startTimeTicks: startTimeTicks(process.pid) ?? "" } as const;
  const record = {
    id,
    name: `name-${options.id ?? "c"}`,
    imageId,
    mounts: [],
    paths: { upper: join(store.layout.containers, id, "never-made") },
    state: options.running === true ? running : neverStarted,
  };
  store.containers<ContainerRecord>().insert(record as unknown as ContainerRecord, store.images.chain(imageId));
  return id;
}

export async function* streamOf(...chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

export async function readAll(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** An index of one image for each architecture, with a layer that all share and one of its own. */
export function addIndex(
  store: Store,
  architectures: readonly string[],
  names: readonly string[] = [],
  annotations: Readonly<Record<string, string>> = {},
): Digest {
  const parts = architectures.map((architecture) => {
    const image: TestImage = { architecture, layers: ["shared", architecture], history: [{ created_by: "shared" }, { created_by: `for ${architecture}` }] };
    const chain = (image.layers ?? []).map((content) => addLayer(store, content));
    return { platform: { os: "linux", architecture }, image: store.images.commit({ config: configOf(image), chain, member: true }) };
  });
  return commitIndex(store, { parts, annotations }, names);
}
