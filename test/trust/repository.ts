/** A registry with an image, for tests of signatures; and what others' programs have put beside images, put there again byte for byte. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { startRegistry, type RegistryOptions, type TestRegistry } from "../../src/testing/index.ts";

export const manifestType = "application/vnd.oci.image.manifest.v1+json";
export const indexType = "application/vnd.oci.image.index.v1+json";

export const sha256 = (bytes: Uint8Array | string): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** A repository of a registry, spoken to by plain HTTP without any program of ours. */
export interface Repository {
  /** "127.0.0.1:PORT/acme/app" */
  readonly name: string;
  /** answers the descriptor */
  pushBlob(bytes: Uint8Array | string, mediaType: string): Promise<{ readonly mediaType: string; readonly digest: string; readonly size: number }>;
  /** answers the digest */
  pushManifest(name: string, text: string, mediaType?: string): Promise<string>;
  fetch(where: string): Promise<{ readonly text: string; readonly mediaType: string } | undefined>;
}

export function repositoryOf(registry: Pick<TestRegistry, "host" | "url">, name: string): Repository {
  const base = `${registry.url}/v2/${name}`;
  return {
    name: `${registry.host}/${name}`,
    pushBlob: async (bytes, mediaType) => {
      const body = Buffer.from(bytes as Uint8Array);
      const begun = await fetch(`${base}/blobs/uploads/`, { method: "POST" });
      const location = new URL(begun.headers.get("location") ?? "", registry.url);
      location.searchParams.set("digest", sha256(body));
      assert.equal((await fetch(location, { method: "PUT", body })).status, 201);
      return { mediaType, digest: sha256(body), size: body.length };
    },
    pushManifest: async (tag, text, mediaType = manifestType) => {
      const put = await fetch(`${base}/manifests/${tag}`, { method: "PUT", body: text, headers: { "content-type": mediaType } });
      assert.equal(put.status, 201, await put.text());
      return sha256(text);
    },
    fetch: async (where) => {
      const got = await fetch(`${base}/${where}`, { headers: { accept: `${manifestType}, ${indexType}` } });
      return got.status === 200 ? { text: await got.text(), mediaType: got.headers.get("content-type") ?? "" } : undefined;
    },
  };
}

/** Puts an image of its own kind under the tag: `content` makes it differ from others. */
export async function pushImage(repository: Repository, tag: string, content = ""): Promise<string> {
  const config = await repository.pushBlob(
    JSON.stringify({ os: "linux", architecture: "amd64", rootfs: { type: "layers", diff_ids: [] }, author: content }),
    "application/vnd.oci.image.config.v1+json",
  );
  return await repository.pushManifest(tag, JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config, layers: [] }));
}

export interface Recorded {
  /** the name it had */
  readonly repository: string;
  readonly digest: string;
  readonly manifests: readonly { readonly name: string; readonly mediaType: string; readonly text: string }[];
  /** text */
  readonly blobs?: readonly string[];
  /** what is no text */
  readonly base64?: readonly string[];
}

export function readRecorded(name: string): Recorded {
  return JSON.parse(readFileSync(path.join(import.meta.dirname, "recorded", name), "utf8")) as Recorded;
}

/** `change` sees every text before it is put there: what was tampered with has the names of what is there now. */
export async function pushRecorded(
  repository: Repository,
  { manifests, blobs = [], base64 = [] }: Recorded,
  change = (text: string): string => text,
): Promise<void> {
  const renamed = new Map<string, string>();
  const rename = (text: string): string => [...renamed].reduce((all, [from, to]) => all.replaceAll(from, to), text);
  const sizes = new Map<string, string>();
  for (const blob of blobs) {
    const changed = change(blob);
    await repository.pushBlob(changed, "");
    if (changed !== blob) {
      renamed.set(sha256(blob), sha256(changed));
      sizes.set(sha256(changed), String(Buffer.byteLength(changed)));
    }
  }
  for (const blob of base64) await repository.pushBlob(Buffer.from(blob, "base64"), "");
  for (const { name, mediaType, text } of manifests) {
    if (mediaType === indexType) {
      await repository.pushManifest(name, text, mediaType);
      continue;
    }
    const document = JSON.parse(change(rename(text))) as { config: { digest: string; size: number }; layers: { digest: string; size: number }[] };
    for (const descriptor of [document.config, ...document.layers]) descriptor.size = Number(sizes.get(descriptor.digest) ?? descriptor.size);
    const changed = JSON.stringify(document);
    const asBefore = changed === text || sha256(changed) === sha256(text);
    await repository.pushManifest(name.startsWith("sha256:") && !asBefore ? sha256(changed) : name, asBefore ? text : changed, mediaType);
  }
}

export async function startRepository(
  name = "acme/app",
  options: RegistryOptions = {},
): Promise<Repository & AsyncDisposable & { readonly registry: TestRegistry }> {
  const registry = await startRegistry(options);
  return { ...repositoryOf(registry, name), registry, [Symbol.asyncDispose]: () => registry.close() };
}
