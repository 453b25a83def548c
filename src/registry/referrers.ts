/**
 * What refers to an image: signatures, SBOMs, whatever names it as its subject. Registries keep lists of these; where one does not,
 * the tag `sha256-<hex>` is the list. @see distribution-spec, "Listing Referrers", "Referrers Tag Schema"
 */
import { SlipwayError, isSlipwayError } from "../base/errors.ts";
import { digestOf, type Digest } from "../oci/digest.ts";
import { mediaTypes, type Descriptor, type Index } from "../oci/manifest.ts";
import { maxDocumentBytes, parseIndex, parseManifestOrIndex } from "../oci/parse-manifest.ts";
import { formatReference, type Reference } from "../oci/reference.ts";
import type { CallOptions, Document, RegistryClient } from "./client.ts";
import type { Endpoint } from "./endpoint.ts";
import { nextQuery } from "./list-tags.ts";
import { readBody } from "./read-body.ts";
import { sleep } from "./retry.ts";
import type { Sender } from "./sender.ts";
import type { TransportResponse } from "./transport.ts";

const maxPages = 200;
const maxReferrers = 20_000;
/** of all pages together */
const maxListBytes = 64 << 20;
const maxWrites = 8;
/** two writers of one list see each other's work after about so long */
const settleMs = 50;

/** Failures that are of a list's content, not of the registry. */
const listFaults: ReadonlySet<string> = new Set(["invalid_argument", "resource_exhausted", "data_loss", "unsupported"]);

/** The statuses by which registries say that they have no such list; an image that is not there has none either. */
const noList = new Set([400, 404, 405, 501]);

export interface ReferrersOptions extends CallOptions {
  /** only those of this type */
  readonly artifactType?: string;
  /**
   * Told why a list is not read to its end: it is too long, leads in a circle or cannot be read. What came until then is answered.
   * Without this it is a failure.
   */
  readonly onUnread?: ((why: SlipwayError) => void) | undefined;
}

/** The tag that stands for the list: "sha256-…". */
export function referrersTag(digest: Digest): string {
  return digest.replace(":", "-");
}

/** undefined where the registry has no such list. */
export async function referrersAt(
  sender: Sender,
  endpoint: Endpoint,
  reference: Reference,
  digest: Digest,
  options: ReferrersOptions,
): Promise<readonly Descriptor[] | undefined> {
  const found: Descriptor[] = [];
  try {
    for await (const page of pagesAt(sender, endpoint, reference, digest, options)) {
      if (page === undefined) return undefined;
      found.push(...page);
    }
  } catch (error) {
    tell(error, options);
  }
  return found;
}

/** undefined, once, where the registry has no such list. */
async function* pagesAt(
  sender: Sender,
  endpoint: Endpoint,
  reference: Reference,
  digest: Digest,
  { artifactType, signal }: ReferrersOptions,
): AsyncGenerator<readonly Descriptor[] | undefined, void> {
  const { host } = endpoint;
  const asked = new Set<string>();
  let [count, size] = [0, 0];
  let query: string | undefined = artifactType === undefined ? "" : `?artifactType=${encodeURIComponent(artifactType)}`;
  while (query !== undefined) {
    if (asked.has(query)) throw tooMany(`the pages of ${host}'s list of referrers lead in a circle`, host);
    if (count > maxReferrers || size > maxListBytes || asked.size > maxPages) {
      throw tooMany(`${host} lists more than ${maxReferrers} referrers, ${maxPages} pages or ${maxListBytes >> 20} MiB of them`, host);
    }
    const response = await requestPage(sender, endpoint, reference, `referrers/${digest}${query}`, signal);
    if (response === undefined && asked.size === 0) return yield undefined;
    if (response === undefined) throw new SlipwayError("invalid_argument", "INVALID_DOCUMENT", `a page of ${host}'s list of referrers is none`, { host });
    asked.add(query);
    const bytes = await readBody(response, maxDocumentBytes, "list of referrers");
    const { manifests } = parseIndex(bytes, mediaTypes.ociIndex);
    yield manifests;
    query = nextQuery(response);
    count += manifests.length;
    size += bytes.length;
  }
}

function tell(error: unknown, { onUnread }: ReferrersOptions): void {
  if (onUnread === undefined || !isSlipwayError(error) || !listFaults.has(error.kind) || error.code === "TOO_MANY_REQUESTS") throw error;
  onUnread(error);
}

async function requestPage(
  sender: Sender,
  endpoint: Endpoint,
  reference: Reference,
  path: string,
  signal: AbortSignal | undefined,
): Promise<TransportResponse | undefined> {
  try {
    const headers = { accept: mediaTypes.ociIndex };
    const response = await sender.send({
      endpoint,
      reference,
      actions: "pull",
      subject: "manifest",
      method: "GET",
      path,
      headers,
      contentAddressed: false,
      signal,
    });
    if ((response.headers["content-type"] ?? "").startsWith(mediaTypes.ociIndex)) return response;
    // a registry that knows no such path may answer with a page of its own
    response.discard();
    return undefined;
  } catch (error) {
    if (error instanceof SlipwayError && noList.has(Number(error.details["status"]))) return undefined;
    throw error;
  }
}

function tooMany(message: string, host: string): SlipwayError {
  return new SlipwayError("resource_exhausted", "TOO_MANY_REFERRERS", message, { host });
}

type Reading = Pick<RegistryClient, "resolve">;
type Writing = Pick<RegistryClient, "resolve" | "pushManifest">;

/** The list behind the tag; none where there is no such tag. */
export async function referrersByTag({ resolve }: Reading, { domain, path }: Reference, digest: Digest, call: CallOptions = {}): Promise<Index> {
  try {
    const fetched = await resolve({ domain, path, tag: referrersTag(digest) }, call);
    const parsed = parseManifestOrIndex(fetched.bytes, fetched.descriptor.mediaType);
    if (parsed.kind === "index") return parsed.index;
  } catch (error) {
    if (!isSlipwayError(error) || error.kind !== "not_found") throw error;
  }
  return { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] };
}

/** The same, as far as it can be read. */
export async function referrersBehindTag(reading: Reading, reference: Reference, digest: Digest, options: ReferrersOptions): Promise<readonly Descriptor[]> {
  try {
    return (await referrersByTag(reading, reference, digest, options)).manifests;
  } catch (error) {
    tell(error, options);
    return [];
  }
}

/** As lists of referrers show a manifest: with its type and its annotations. */
export function referrerDescriptor({ mediaType, bytes }: Document): Descriptor {
  const parsed = parseManifestOrIndex(bytes, mediaType);
  const { artifactType, annotations } = parsed.kind === "manifest" ? parsed.manifest : parsed.index;
  const type = artifactType ?? (parsed.kind === "manifest" ? parsed.manifest.config.mediaType : undefined);
  return {
    mediaType: parsed.mediaType,
    digest: digestOf(bytes),
    size: bytes.length,
    ...(type === undefined ? {} : { artifactType: type }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

export function ofArtifactType(descriptors: readonly Descriptor[], artifactType: string | undefined): readonly Descriptor[] {
  return artifactType === undefined ? descriptors : descriptors.filter((descriptor) => descriptor.artifactType === artifactType);
}

/**
 * Puts a manifest that names a subject into the reference's repository, so that lists of the subject's referrers have it. What it
 * refers to has to be there, the subject does not. Where the registry keeps no lists, the tag `sha256-…` gets the entry besides those
 * that it has, and again if another writer's list took its place. Putting it once more changes nothing.
 * Fails with NO_SUBJECT (invalid_argument), REFERRERS_CONTENDED (unavailable) and the codes of pushManifest.
 */
export async function attachReferrer(client: Writing, { domain, path }: Reference, document: Document, call: CallOptions = {}): Promise<Descriptor> {
  const parsed = parseManifestOrIndex(document.bytes, document.mediaType);
  const subject = parsed.kind === "manifest" ? parsed.manifest.subject : parsed.index.subject;
  if (subject === undefined) throw new SlipwayError("invalid_argument", "NO_SUBJECT", "the manifest names no subject that it could be attached to", {});
  const repository: Reference = { domain, path };
  const pushed = await client.pushManifest(repository, document, call);
  const entry = referrerDescriptor(document);
  if (pushed.subject === undefined) await addToTag(client, repository, subject.digest, entry, call);
  return entry;
}

async function addToTag(client: Writing, repository: Reference, subject: Digest, entry: Descriptor, call: CallOptions): Promise<void> {
  const listed = async (): Promise<Index> => await referrersByTag(client, repository, subject, call);
  const has = ({ manifests }: Index): boolean => manifests.some(({ digest }) => digest === entry.digest);
  let wrote = false;
  for (let attempt = 0; attempt < maxWrites; attempt++) {
    const index = await listed();
    if (has(index)) {
      if (!wrote) return;
      // another writer may have read before we wrote and write after us
      await sleep(settleMs, call.signal);
      if (has(await listed())) return;
      continue;
    }
    const grown: Index = { ...index, schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [...index.manifests, entry] };
    const bytes = Buffer.from(JSON.stringify(grown));
    await client.pushManifest({ ...repository, tag: referrersTag(subject) }, { mediaType: mediaTypes.ociIndex, bytes }, call);
    wrote = true;
  }
  throw new SlipwayError(
    "unavailable",
    "REFERRERS_CONTENDED",
    `${formatReference({ ...repository, tag: referrersTag(subject) })}: others write this list all the time`,
    {
      subject,
    },
  );
}
