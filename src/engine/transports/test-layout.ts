/** What the tests of images at other places share: layouts and archives written by hand. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { algorithmOf, digestOf, hexOf } from "../../oci/digest.ts";
import { mediaTypes, type Descriptor, type Index, type Manifest } from "../../oci/manifest.ts";
import type { Platform } from "../../oci/platform.ts";
import { tarOf, type Member } from "../../store/test-store.ts";

export class TestDirectory implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "slipway-places-"));

  at(...parts: readonly string[]): string {
    return join(this.path, ...parts);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Blobs by path in a layout, as they come to be. */
export class LayoutDraft {
  readonly files = new Map<string, Buffer>([["oci-layout", Buffer.from('{"imageLayoutVersion":"1.0.0"}')]]);
  readonly #entries: Descriptor[] = [];

  blob(bytes: Uint8Array, mediaType: string): Descriptor {
    const digest = digestOf(bytes);
    this.files.set(`blobs/${algorithmOf(digest)}/${hexOf(digest)}`, Buffer.from(bytes));
    return { mediaType, digest, size: bytes.length };
  }

  json(value: object, mediaType: string): Descriptor {
    return this.blob(Buffer.from(JSON.stringify(value)), mediaType);
  }

  image(layers: readonly (readonly Member[])[], platform: Platform = { os: "linux", architecture: "amd64" }): Descriptor {
    const tars = layers.map((members) => tarOf(members));
    const config = this.json({ ...platform, config: {}, rootfs: { type: "layers", diff_ids: tars.map((tar) => digestOf(tar)) } }, mediaTypes.ociConfig);
    const blobs = tars.map((tar) => this.blob(gzipSync(tar), mediaTypes.ociLayerGzip));
    const manifest: Manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: blobs };
    return { ...this.json(manifest, mediaTypes.ociManifest), platform };
  }

  index(manifests: readonly Descriptor[], mediaType: string = mediaTypes.ociIndex): Descriptor {
    const index: Index = { schemaVersion: 2, mediaType, manifests };
    return this.json(index, mediaType);
  }

  name(descriptor: Descriptor, tag: string): this {
    this.#entries.push({ ...descriptor, annotations: { "org.opencontainers.image.ref.name": tag } });
    this.files.set("index.json", Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: this.#entries })));
    return this;
  }

  /** As a directory; answers it. */
  write(directory: string): string {
    for (const [path, bytes] of this.files) {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(join(directory, path), bytes);
    }
    return directory;
  }

  archive(): Buffer {
    return tarOfBuffers(this.files);
  }
}

export function tarOfBuffers(files: ReadonlyMap<string, Buffer>): Buffer {
  return tarOf(
    [...files].map(([path, bytes]) => ({ path, content: bytes.toString("latin1") })),
    "latin1",
  );
}

/** Three layers with what a question about files may meet. */
export const baseLayer: readonly Member[] = [
  { path: "bin", type: "directory" },
  { path: "bin/tool", content: "tool one", mode: 0o4755 },
  { path: "etc", type: "directory" },
  { path: "etc/os-release", type: "symlink", linkname: "../usr/lib/os-release" },
  { path: "etc/gone", content: "x" },
  { path: "old/a", content: "a" },
  { path: "usr/lib/os-release", content: "ID=test\n" },
  { path: "usr/lib/same", type: "hardlink", linkname: "usr/lib/os-release" },
];
export const middleLayer: readonly Member[] = [
  { path: "etc/.wh.gone" },
  { path: "old", type: "directory" },
  { path: "old/.wh..wh..opq" },
  { path: "old/b", content: "bb" },
];
export const topLayer: readonly Member[] = [
  { path: "bin", type: "directory" },
  { path: "bin/tool", content: "tool two!" },
  { path: "loop", type: "symlink", linkname: "loop" },
];

/** The image of these layers at every place but the store; docker.tar has it as app:v1. Answers locations by the places' names. */
export function writePlaces(directory: TestDirectory): Readonly<Record<string, string>> {
  const draft = new LayoutDraft();
  const image = draft.image([baseLayer, middleLayer, topLayer]);
  draft.name(draft.index([draft.image([baseLayer], { os: "linux", architecture: "s390x" }), image]), "v1");
  draft.write(directory.at("layout"));
  writeFileSync(directory.at("oci.tar"), draft.archive());
  writeFileSync(directory.at("oci.tar.gz"), gzipSync(draft.archive()));
  const layers = [baseLayer, middleLayer, topLayer].map((members) => tarOf(members));
  const config = Buffer.from(
    JSON.stringify({ os: "linux", architecture: "amd64", rootfs: { type: "layers", diff_ids: layers.map((layer) => digestOf(layer)) } }),
  );
  const manifest = [{ Config: "config.json", RepoTags: ["app:v1"], Layers: ["0/layer.tar", "1/layer.tar", "2/layer.tar"] }];
  const files = new Map([
    ["config.json", config],
    ["manifest.json", Buffer.from(JSON.stringify(manifest))],
    ...layers.map((layer, at) => [`${at}/layer.tar`, layer] as const),
  ]);
  writeFileSync(directory.at("docker.tar"), tarOfBuffers(files));
  return {
    directory: "oci:layout:v1",
    "oci-archive": "oci-archive:oci.tar:v1",
    "compressed archive": "oci-archive:oci.tar.gz",
    "docker-archive": "docker-archive:docker.tar:app:v1",
    store: "store:app:v1",
  };
}

export async function* chunksOf(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}

export { registryAbsent, startDockerRegistry, type DockerRegistry } from "../../registry/fixtures/docker-registry.ts";
export { tarOf } from "../../store/test-store.ts";
