/** `sign`: an image of a registry, and with `recursive` all that its index names. */
import { isSlipwayError, SlipwayError } from "../../base/errors.ts";
import { parseManifestOrIndex } from "../../oci/parse-manifest.ts";
import type { Descriptor } from "../../oci/manifest.ts";
import { familiarName, formatReference, parseReference, withDefaultTag, withDigest, type Reference } from "../../oci/reference.ts";
import { formatPlatform } from "../../oci/platform.ts";
import type { FetchedManifest, RegistryClient } from "../../registry/index.ts";
import type { Store } from "../../store/index.ts";
import type { IdentityToken, KeylessServices } from "../../trust/keyless/index.ts";
import { readPrivateKey, type SigningKey } from "../../trust/keys/index.ts";
import { readSigningChain, signNotation, type NotationFormat } from "../../trust/notation/index.ts";
import { signImage, type CosignFormat, type SignRequest, type WrittenSignature } from "../../trust/signatures/index.ts";
import type { KeylessOptions, PrivateKeySource, SignatureFormat, SignedImage, SignOptions, SignResult } from "../trust-api.ts";

export interface SigningSurroundings {
  readonly store: Store;
  readonly client: () => Promise<RegistryClient>;
}

export async function sign(surroundings: SigningSurroundings, name: string, options: SignOptions): Promise<SignResult> {
  const { certificates, annotations = {} } = options;
  const formats = options.formats ?? (certificates === undefined ? (["bundle", "legacy"] as const) : (["jws"] as const));
  const cosign = formats.filter(isCosignFormat);
  const notation = formats.filter(isNotationFormat);
  if ((certificates === undefined) !== (notation.length === 0)) {
    throw new SlipwayError("invalid_argument", "USAGE", "notation's signatures, jws and cose, and certificates belong together", { formats });
  }
  if (options.timestampUrl !== undefined && certificates === undefined)
    throw new SlipwayError("invalid_argument", "USAGE", "time stamps belong to signatures with certificates: notation's, and those for identities");
  const now = new Date();
  if (options.keyless !== undefined) {
    if (notation.length > 0 || options.key !== undefined || options.formats?.includes("legacy") === true)
      throw new SlipwayError("invalid_argument", "USAGE", "who signs without a key writes bundles: neither keys nor other formats", { formats });
    return await signKeyless(surroundings, name, { ...options, keyless: options.keyless, now });
  }
  const key = await openKey(options.key);
  const chain = certificates === undefined ? [] : await readSigningChain(certificates.pem, certificates.name ?? "the chain", key, now);
  return await signEach(surroundings, name, { ...options, now }, async (subject) => {
    const request = { ...subject, key };
    return [
      ...(cosign.length === 0 ? [] : await signImage({ ...request, annotations, formats: cosign })),
      ...(notation.length === 0 ? [] : await signNotation({ ...request, annotations, chain, formats: notation, timestampUrl: options.timestampUrl })),
    ];
  });
}

interface KeylessSigning extends EachOptions {
  readonly keyless: KeylessOptions;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The token is asked for once, when the image is found; what it stands for is signed of each image. */
export async function signKeyless(
  surroundings: SigningSurroundings,
  name: string,
  options: KeylessSigning,
  attested?: { readonly predicateType: string; readonly predicate: unknown },
): Promise<SignResult> {
  const [{ attachKeyless }, { identityToken }] = await Promise.all([import("../../trust/keyless/index.ts"), import("./identity-token.ts")]);
  const { keyless, annotations = {}, signal } = options;
  const services = await keylessServices(keyless);
  let token: Promise<IdentityToken> | undefined;
  const said = attested === undefined ? { annotations } : { attested };
  return await signEach(surroundings, name, options, async (request) => {
    token ??= identityToken(keyless, signal);
    return await attachKeyless({ ...request, token: await token, services, ...said });
  });
}

async function keylessServices({ fulcioUrl, rekorUrl, timestampUrl, signingConfig }: KeylessOptions): Promise<KeylessServices> {
  const { publicServices, readSigningConfig } = await import("../../trust/keyless/index.ts");
  if (signingConfig !== undefined) {
    if (fulcioUrl !== undefined || rekorUrl !== undefined || timestampUrl !== undefined)
      throw new SlipwayError("invalid_argument", "USAGE", "the services are named one by one or by a signing config, not by both");
    return readSigningConfig(signingConfig.json, signingConfig.name ?? "the signing config", new Date()).services;
  }
  const log = rekorUrl ?? publicServices.rekorUrl;
  return {
    fulcioUrl: fulcioUrl ?? publicServices.fulcioUrl,
    logs: log === "" ? [] : [{ url: log, version: 1 }],
    timestampUrls: timestampUrl === undefined ? [] : [timestampUrl],
  };
}

function isCosignFormat(format: SignatureFormat): format is CosignFormat {
  return format === "bundle" || format === "legacy";
}

function isNotationFormat(format: SignatureFormat): format is NotationFormat {
  return format === "jws" || format === "cose";
}

export interface EachOptions {
  readonly now: Date;
  readonly recursive?: boolean;
  readonly signatureRepository?: string | undefined;
  readonly signal?: AbortSignal;
}

/** Does the work for what the name means, and with `recursive` for each image of the index. */
export async function signEach(
  { store, client }: SigningSurroundings,
  name: string,
  { now, recursive = false, signatureRepository, signal }: EachOptions,
  work: (request: Omit<SignRequest, "annotations" | "formats" | "key">) => Promise<readonly WrittenSignature[]>,
): Promise<SignResult> {
  const reference = withDefaultTag(parseReference(name));
  const place = placeOf(reference, signatureRepository);
  const registry = await client();
  const fetched = await fetchImage(registry, store, reference, signal);
  const images: SignedImage[] = [];
  for (const { descriptor, platform } of subjectsOf(fetched, recursive)) {
    const signatures = await work({ client: registry, reference, place, subject: descriptor, now, signal });
    images.push({ digest: descriptor.digest, platform, signatures });
  }
  const { digest } = fetched.descriptor;
  return { reference: formatReference(withDigest(reference, digest)), digest, images };
}

export async function openKey(source: PrivateKeySource | undefined): Promise<SigningKey> {
  if (source === undefined) throw new SlipwayError("invalid_argument", "USAGE", "who signs? a key or an identity is needed");
  const { pem, name = "the key", password } = source;
  return await readPrivateKey(pem, name, password ?? (() => Promise.resolve(new Uint8Array())));
}

/** The repository that signatures are kept in. Fails with USAGE where what is named instead of the image's own is none. */
export function placeOf({ domain, path }: Reference, signatureRepository: string | undefined): Reference {
  if (signatureRepository === undefined) return { domain, path };
  const other = parseReference(signatureRepository);
  if (other.tag !== undefined || other.digest !== undefined) {
    const message = `${signatureRepository} is no repository that signatures could be kept in: want one without tag and digest`;
    throw new SlipwayError("invalid_argument", "USAGE", message, { bare: true });
  }
  return { domain: other.domain, path: other.path };
}

/** What is signed is the registry's: an image that is only here has no digest yet that others could ask for. */
async function fetchImage(client: RegistryClient, store: Store, reference: Reference, signal: AbortSignal | undefined): Promise<FetchedManifest> {
  try {
    return await client.resolve(reference, { signal });
  } catch (error) {
    if (!isSlipwayError(error) || error.kind !== "not_found" || store.images.byName(formatReference(reference)) === undefined) throw error;
    const shown = familiarName(reference);
    throw new SlipwayError(
      error.kind,
      error.code,
      error.message,
      { ...error.details, remedy: `What is signed is the registry's image, and ${shown} is only here: slipway push ${shown}` },
      error,
    );
  }
}

interface SubjectImage {
  readonly descriptor: Descriptor;
  readonly platform: string;
}

function subjectsOf({ bytes, descriptor }: FetchedManifest, recursive: boolean): readonly SubjectImage[] {
  const parsed = parseManifestOrIndex(bytes, descriptor.mediaType);
  const children = recursive && parsed.kind === "index" ? parsed.index.manifests : [];
  const described = children.map((child) => ({ descriptor: child, platform: child.platform === undefined ? "" : formatPlatform(child.platform) }));
  return [{ descriptor, platform: "" }, ...described];
}
