/** The things that a build was made from, with digests: images, repositories, files. As BuildKit names them. */
import { imageKey, type ResolvedImage } from "../../graph/lowering.ts";
import type { Vertex } from "../../graph/vertex.ts";
import { algorithmOf, hexOf, isDigest, type Digest } from "../../oci/digest.ts";
import { formatPlatform, normalizePlatform, type Platform } from "../../oci/platform.ts";
import { familiarRepository, parseReference, withDefaultTag } from "../../oci/reference.ts";
import type { BuildFacts, DigestSet } from "./build-facts.ts";

export interface Material {
  readonly uri: string;
  readonly digest: DigestSet | undefined;
}

/** `vertices`: all that the image needs. Sorted, each once; images first. */
export function materialsOf(vertices: readonly Vertex[], facts: BuildFacts): readonly Material[] {
  const images: Material[] = [];
  const gits: Material[] = [];
  const files: Material[] = [];
  for (const vertex of vertices) {
    const { op } = vertex;
    if (op.type === "image") images.push(imageMaterial(op.reference, op.platform, facts.images));
    if (op.type === "git") gits.push({ uri: gitUri(op), digest: facts.revisions.of(vertex) });
    if (op.type === "http") files.push({ uri: withoutCredentials(op.url), digest: facts.revisions.of(vertex) });
  }
  const { contextSource, scanner } = facts;
  // without a platform, as BuildKit has it: it runs on the machine's
  if (scanner !== undefined) images.push({ uri: imagePurl(scanner.name, undefined), digest: digestOfImage(scanner.image) });
  if (contextSource !== undefined) {
    const own = { uri: withoutCredentials(contextSource.url), digest: contextSource.digest };
    (contextSource.digest["sha1"] === undefined ? files : gits).push(own);
  }
  return [images, gits, files].flatMap(sortedOnce);
}

function sortedOnce(materials: readonly Material[]): readonly Material[] {
  const byName = new Map(materials.map((material) => [JSON.stringify(material), material]));
  return [...byName.values()].sort((a, b) => (a.uri < b.uri ? -1 : a.uri > b.uri ? 1 : 0));
}

function imageMaterial(reference: string, platform: Platform, images: ReadonlyMap<string, ResolvedImage>): Material {
  const asked = [...images].find(([key, image]) => image.reference === reference && key === imageKey(key.slice(key.indexOf(" ") + 1), platform));
  const name = asked?.[0].slice(asked[0].indexOf(" ") + 1) ?? reference;
  return { uri: imagePurl(name, platform), digest: digestOfImage({ reference, id: asked?.[1].id }) };
}

function digestOfImage({ reference, id }: { readonly reference: string; readonly id?: Digest | undefined }): DigestSet | undefined {
  return digestIn(reference) ?? (id === undefined ? undefined : { [algorithmOf(id)]: hexOf(id) });
}

function digestIn(reference: string): DigestSet | undefined {
  const at = reference.lastIndexOf("@");
  const digest = reference.slice(at + 1);
  return at >= 0 && isDigest(digest) ? { [algorithmOf(digest)]: hexOf(digest) } : undefined;
}

function gitUri({ url, ref, subdirectory }: { readonly url: string; readonly ref: string; readonly subdirectory: string }): string {
  const fragment = subdirectory === "" ? ref : `${ref}:${subdirectory}`;
  return withoutCredentials(fragment === "" ? url : `${url}#${fragment}`);
}

/** Names and passwords in front of hosts are nobody's business. */
export function withoutCredentials(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, "$1");
}

/** `pkg:docker/library/x@tag?platform=linux%2Famd64`: the familiar name; of one named by digest the digest is a qualifier. */
export function imagePurl(name: string, platform: Platform | undefined): string {
  const reference = parseReference(name);
  const { digest } = reference;
  const { tag } = digest === undefined ? withDefaultTag(reference) : reference;
  const familiar = familiarRepository(reference);
  const qualifiers = [
    ...(digest === undefined ? [] : [`digest=${digest}`]),
    ...(platform === undefined ? [] : [`platform=${encodeURIComponent(formatPlatform(normalizePlatform(platform)))}`]),
  ];
  const version = tag === undefined ? "" : `@${encodeURIComponent(tag)}`;
  return `pkg:docker/${familiar.split("/").map(encodedPart).join("/")}${version}${qualifiers.length === 0 ? "" : `?${qualifiers.join("&")}`}`;
}

function encodedPart(part: string): string {
  return encodeURIComponent(part).replaceAll("%3A", ":");
}
