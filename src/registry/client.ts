/**
 * The distribution client: resolves references, fetches manifests, streams blobs and lists tags, over mirrors, with
 * credentials, proxies and custom certificates, every wait and every body bounded. @see distribution-spec
 */
import type { Hash } from "node:crypto";
import { isSlipwayError } from "../base/errors.ts";
import type { Digest } from "../oci/digest.ts";
import type { Descriptor } from "../oci/manifest.ts";
import { withDefaultTag } from "../oci/reference.ts";
import type { Reference } from "../oci/reference.ts";
import { createAuthorizer } from "./auth.ts";
import { diskConfigFiles } from "./config-files.ts";
import type { ConfigFiles, Env } from "./config-files.ts";
import { anonymous } from "./credentials.ts";
import type { Credential, CredentialSource } from "./credentials.ts";
import { createDispatchers } from "./dispatchers.ts";
import { originEndpoint, type Endpoint } from "./endpoint.ts";
import { firstThatWorks } from "./fallthrough.ts";
import { fetchManifestAt, headManifestAt } from "./fetch-manifest.ts";
import { loginByDevice, type DeviceLoginOptions } from "./hub-login.ts";
import { createLimiter } from "./limiter.ts";
import { listTagsAt } from "./list-tags.ts";
import { loginAt } from "./login.ts";
import { createMirrorMemory } from "./mirror-memory.ts";
import { isAmongHosts } from "./proxy.ts";
import { deleteManifestAt, pushManifestAt, type PushedManifest } from "./push-manifest.ts";
import { ofArtifactType, referrersAt, referrersBehindTag, type ReferrersOptions } from "./referrers.ts";
import { certificatesByHost, endpointsFor } from "./registries-conf.ts";
import type { RegistriesConf } from "./registries-conf.ts";
import { defaultRetry } from "./retry.ts";
import type { Retry } from "./retry.ts";
import { searchAt, type FoundRepository } from "./search.ts";
import { createSender } from "./sender.ts";
import { streamBlob } from "./stream-blob.ts";
import { createTransport, defaultTimeouts } from "./transport.ts";
import type { Headers, Timeouts } from "./transport.ts";
import { blobExistsAt, pushBlobAt } from "./upload-blob.ts";

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** A manifest or an index as the registry serves it; the bytes have the descriptor's digest and size, and parse. */
export interface FetchedManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  /** the host that served it: "registry-1.docker.io" */
  readonly host: string;
}

/** A manifest or index to be pushed: its exact bytes. */
export interface Document {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** Upload sessions by "host/repository@digest", for a later process to go on with. */
export interface UploadMemory {
  load(key: string): string | undefined;
  save(key: string, url: string): void;
  forget(key: string): void;
}

/** A request that failed for the moment is made again after a while. */
export interface RegistryWait {
  readonly host: string;
  readonly delayMs: number;
  /** in a few words: "too many requests", "it answers 503" */
  readonly reason: string;
}

export interface PushBlobOptions extends CallOptions {
  /** The blob's bytes from an offset on; called again after a break. */
  readonly open: (offset: number) => AsyncIterable<Uint8Array>;
  /** They were verified before: whether they are still the digest's is left to the registry, which looks at every upload. */
  readonly verified?: boolean;
  /** repositories of the same registry that may have the blob: it is mounted from the first that does */
  readonly mountFrom?: readonly string[];
  readonly memory?: UploadMemory | undefined;
  /** how many bytes of the blob are sent */
  readonly onProgress?: (sent: number) => void;
}

export type PushedBlob =
  | { readonly outcome: "exists" }
  | { readonly outcome: "mounted"; readonly from: string }
  /** `sentFrom`: what was there of it already, from an earlier session */
  | { readonly outcome: "uploaded"; readonly sentFrom: number; readonly size: number };

export interface OpenBlobOptions extends CallOptions {
  /** Bytes that the caller already has: the first byte that is sent is the one at this offset. */
  readonly offset?: number;
  /** A hash of the descriptor's algorithm that has read the first `offset` bytes; without it a blob opened at an offset is checked by its size only. */
  readonly hash?: Hash;
}

/**
 * Calls fail with SlipwayError: not_found (MANIFEST_NOT_FOUND, BLOB_NOT_FOUND, REPOSITORY_NOT_FOUND), unauthenticated
 * (UNAUTHORIZED, LOGIN_REFUSED), denied (ACCESS_DENIED, REGISTRY_BLOCKED, BAD_REDIRECT), resource_exhausted
 * (TOO_MANY_REQUESTS, RESPONSE_TOO_LARGE), unavailable and deadline_exceeded (the network), failed_precondition
 * (certificates), data_loss (DIGEST_MISMATCH, SIZE_MISMATCH) or canceled. `details.resolveMessage`, where present, is
 * how BuildKit says it; `details.mirrors` what the mirrors answered before the registry itself failed.
 */
export interface RegistryClient {
  /** Whether the reference's registry is to get layers that are not to be distributed to others. */
  takesNondistributable(reference: Reference): boolean;
  /**
   * What a reference means now, by one HEAD request; undefined where the registry does not say the digest.
   * Docker Hub does not count it against the pull limit.
   */
  head(reference: Reference, options?: CallOptions): Promise<Descriptor | undefined>;
  /** Fetches the manifest or index that the reference names; without tag and digest, `latest`. */
  resolve(reference: Reference, options?: CallOptions): Promise<FetchedManifest>;
  /** Fetches a manifest or index of the reference's repository by digest. */
  fetchManifest(reference: Reference, digest: Digest, options?: CallOptions): Promise<FetchedManifest>;
  /**
   * Streams a blob of the reference's repository; the end is reached only if size and digest agree, and never more than
   * the declared size is yielded. The request is made when iteration begins and holds one of the client's
   * downloads until it ends: read each stream to its end or leave its loop, do not hold several open unread.
   */
  openBlob(reference: Reference, descriptor: Descriptor, options?: OpenBlobOptions): AsyncIterable<Uint8Array>;
  /** All tags of the reference's repository, in the registry's order; with `maxPages` those of so many answers. */
  listTags(reference: Reference, options?: CallOptions & { readonly maxPages?: number }): Promise<readonly string[]>;
  /** Repositories of the host ("docker.io", "registry.example:5000") by a word in their names or descriptions, at most `limit`. Mirrors are not asked. */
  search(host: string, term: string, limit: number, options?: CallOptions): Promise<readonly FoundRepository[]>;
  /**
   * What names the digest as its subject, from the registry's list, else from the tag `sha256-…`; none where neither is there. Attach with
   * attachReferrer. Mirrors are not asked. Fails with TOO_MANY_REFERRERS (resource_exhausted) where the list has no end.
   */
  listReferrers(reference: Reference, digest: Digest, options?: ReferrersOptions): Promise<readonly Descriptor[]>;
  /** Whether the reference's repository has the blob. */
  hasBlob(reference: Reference, descriptor: Descriptor, options?: CallOptions): Promise<boolean>;
  /**
   * Sees to it that the reference's repository has the blob: asks, mounts, or sends it. Never to a mirror. The bytes are read as they are
   * sent and checked against the descriptor before the last of them goes.
   */
  pushBlob(reference: Reference, descriptor: Descriptor, options: PushBlobOptions): Promise<PushedBlob>;
  /** Puts a manifest or index under the reference's tag, or under its digest where there is no tag. What it refers to has to be there. */
  pushManifest(reference: Reference, document: Document, options?: CallOptions): Promise<PushedManifest>;
  /** Removes the tag; with a digest, the manifest under all its tags. Fails with UNSUPPORTED where the registry does not do that. */
  deleteManifest(reference: Reference, options?: CallOptions): Promise<void>;
  /**
   * Asks the registry `host` ("docker.io", "localhost:5000") whether it knows somebody; answers what is to be kept, which may be a token
   * of its own. Fails with LOGIN_REFUSED (unauthenticated).
   */
  login(host: string, credential: Credential, options?: CallOptions): Promise<Credential>;
  /** Docker Hub's sign-in by the browser; `onCode` hears what to show. Fails with HUB_LOGIN_UNAVAILABLE and HUB_LOGIN_FAILED. */
  loginByDevice(options: DeviceLoginOptions): Promise<Credential>;
  /** Calls the listener before each wait of any call, until the answer is disposed of. */
  onWait(listener: (wait: RegistryWait) => void): Disposable;
  /** Closes the connections; calls in flight fail. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** All optional: without any, a client that knows nothing of the machine, has no credentials and uses no proxy. */
export interface RegistryClientOptions {
  readonly registries?: RegistriesConf;
  readonly credentials?: CredentialSource;
  readonly userAgent?: string;
  /** blobs in transfer at once; 4 when absent */
  readonly parallelDownloads?: number;
  /** 5 when absent */
  readonly parallelUploads?: number;
  readonly timeouts?: Partial<Timeouts>;
  readonly retry?: Partial<Retry>;
  /** hosts ("registry.example:5000"), and ranges of addresses, that get layers which are not to be distributed */
  readonly nondistributableTo?: readonly string[];
  /** read for HTTP_PROXY, HTTPS_PROXY, NO_PROXY */
  readonly env?: Env;
  /** directories with certificates by host, the first that knows a host counts */
  readonly certDirs?: readonly string[];
  /** a directory with certificates for every host, in the place of `certDirs` */
  readonly certDir?: string;
  readonly files?: ConfigFiles;
  /** sent to registries with every request, and to nobody else; names in lower case */
  readonly headers?: Headers;
  readonly now?: () => number;
  readonly random?: () => number;
}

/** Makes no request and reads no file before the first call. */
export function createRegistryClient(options: RegistryClientOptions = {}): RegistryClient {
  const { registries = [], credentials = anonymous, userAgent = "slipway", parallelDownloads = 4, parallelUploads = 5 } = options;
  const { env = {}, certDirs = [], files = diskConfigFiles, now = Date.now, random = Math.random } = options;
  const timeouts = { ...defaultTimeouts, ...options.timeouts };
  const retry = { ...defaultRetry, ...options.retry };
  const dispatchers = createDispatchers({
    env,
    files,
    certDirs,
    certDir: options.certDir,
    certificates: certificatesByHost(registries),
    connectTimeoutMs: timeouts.connectMs,
  });
  const transport = createTransport(dispatchers, timeouts);
  const authorizer = createAuthorizer({ transport, credentials, userAgent, now, timeoutMs: timeouts.documentMs });
  const listeners = new Set<(wait: RegistryWait) => void>();
  const sender = createSender({
    transport,
    authorizer,
    userAgent,
    headers: options.headers,
    retry,
    now,
    random,
    explain: (host) => credentials.explain?.(host) ?? [],
    onWait: (wait) => {
      for (const listener of listeners) listener(wait);
    },
  });
  const limiter = createLimiter(parallelDownloads);
  const uploads = createLimiter(parallelUploads);
  const memory = createMirrorMemory(now);

  /** A document as a whole has a deadline, besides the caller's signal. */
  function overMirrors<T>(reference: Reference, call: CallOptions, work: (endpoint: Endpoint, signal: AbortSignal) => Promise<T>): Promise<T> {
    return firstThatWorks(memory.usable(endpointsFor(reference, registries)), call.signal, async (endpoint) => {
      const deadline = AbortSignal.timeout(timeouts.documentMs);
      try {
        return await work(endpoint, call.signal === undefined ? deadline : AbortSignal.any([call.signal, deadline]));
      } catch (error) {
        memory.failed(endpoint, error);
        throw error;
      }
    });
  }

  function resolve(reference: Reference, call: CallOptions = {}): Promise<FetchedManifest> {
    const named = withDefaultTag(reference);
    return overMirrors(named, call, (endpoint, signal) => fetchManifestAt(sender, endpoint, named, signal));
  }

  async function* openBlob(reference: Reference, descriptor: Descriptor, call: OpenBlobOptions = {}): AsyncGenerator<Uint8Array, void> {
    const { domain, path } = reference;
    const endpoints = memory.usable(endpointsFor({ domain, path, digest: descriptor.digest }, registries), descriptor.digest);
    try {
      yield* streamBlob(endpoints, reference, descriptor, call, { sender, limiter, retry, random });
    } catch (error) {
      if (isSlipwayError(error, "DIGEST_MISMATCH")) memory.wrong(descriptor.digest);
      throw error;
    }
  }

  /** What is written goes to the registry itself. */
  function target(reference: Reference): Endpoint {
    return endpointsFor(reference, registries).find((endpoint) => !endpoint.mirror) ?? originEndpoint(reference);
  }

  const uploadOptions = { sender, retry, random, finishMs: timeouts.finishMs };

  async function pushBlob(reference: Reference, descriptor: Descriptor, call: PushBlobOptions): Promise<PushedBlob> {
    using _permit = await uploads.acquire(call.signal);
    return await pushBlobAt({ endpoint: target(reference), reference, descriptor, call, options: uploadOptions });
  }

  const close = (): Promise<void> => transport.close();
  return {
    resolve,
    takesNondistributable: ({ domain }) => isAmongHosts(domain, options.nondistributableTo ?? []),
    openBlob,
    head: (reference, call = {}) => {
      const named = withDefaultTag(reference);
      return overMirrors(named, call, (endpoint, signal) => headManifestAt(sender, endpoint, named, signal));
    },
    fetchManifest: ({ domain, path }, digest, call = {}) => resolve({ domain, path, digest }, call),
    listTags: ({ domain, path }, call = {}) => {
      return overMirrors({ domain, path }, call, (endpoint, signal) => listTagsAt(sender, endpoint, { domain, path }, signal, call.maxPages));
    },
    search: async (host, term, limit, call = {}) => {
      const deadline = AbortSignal.timeout(timeouts.documentMs);
      const signal = call.signal === undefined ? deadline : AbortSignal.any([call.signal, deadline]);
      return await searchAt(target({ domain: host, path: "search" }), term, limit, { transport, userAgent, credentials, signal });
    },
    listReferrers: async (reference, digest, call = {}) => {
      const listed =
        (await referrersAt(sender, target(reference), reference, digest, call)) ?? (await referrersBehindTag({ resolve }, reference, digest, call));
      return ofArtifactType(listed, call.artifactType);
    },
    hasBlob: (reference, descriptor, call = {}) => blobExistsAt({ endpoint: target(reference), reference, descriptor, call, options: uploadOptions }),
    pushBlob,
    pushManifest: (reference, document, call = {}) => pushManifestAt(sender, target(reference), reference, document, call.signal),
    deleteManifest: (reference, call = {}) => deleteManifestAt(sender, target(reference), reference, call.signal),
    loginByDevice: (deviceOptions) => loginByDevice({ transport, userAgent, env, now }, deviceOptions),
    onWait: (listener) => {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
    login: (host, credential, call = {}) => loginAt(target({ domain: host, path: "login" }), credential, { transport, userAgent, signal: call.signal }),
    close,
    [Symbol.asyncDispose]: close,
  };
}
