/** `sign`: an image of a registry, and with `recursive` all that its index names. */
import { isSlipwayError, SlipwayError } from "../../base/errors.ts";
import { parseManifestOrIndex } from "../../oci/parse-manifest.ts";
import type { Descriptor } from "../../oci/manifest.ts";
import { familiarName, formatReference, parseReference, withDefaultTag, withDigest, type Reference } from "../../oci/reference.ts";
import { formatPlatform } from "../../oci/platform.ts";
import type { FetchedManifest, RegistryClient } from "../../registry/index.ts";
import type { Store } from "../../store/index.ts";
import { readPrivateKey, type SigningKey } from "../../trust/keys/index.ts";
import { signImage, type SignRequest, type WrittenSignature } from "../../trust/signatures/index.ts";
import type { PrivateKeySource, SignedImage, SignOptions, SignResult } from "../trust-api.ts";

export interface SigningSurroundings {
  readonly store: Store;
  readonly client: () => Promise<RegistryClient>;
}

export async function sign(surroundings: SigningSurroundings, name: string, options: SignOptions): Promise<SignResult> {
  return await signEach(surroundings, name, options, (request) => signImage({ ...request, annotations: options.annotations ?? {} }));
}

/** Does the work for what the name means, and with `recursive` for each image of the index. */
export async function signEach(
  { store, client }: SigningSurroundings,
  name: string,
  options: Pick<SignOptions, "key" | "recursive" | "formats" | "signal">,
  work: (request: Omit<SignRequest, "annotations">) => Promise<readonly WrittenSignature[]>,
): Promise<SignResult> {
  const reference = withDefaultTag(parseReference(name));
  const key = await openKey(options.key);
  const registry = await client();
  const fetched = await fetchImage(registry, store, reference, options.signal);
  const { formats = ["bundle", "legacy"], signal } = options;
  const images: SignedImage[] = [];
  for (const { descriptor, platform } of subjectsOf(fetched, options.recursive ?? false)) {
    const signatures = await work({ client: registry, reference, subject: descriptor, key, formats, now: new Date(), signal });
    images.push({ digest: descriptor.digest, platform, signatures });
  }
  const { digest } = fetched.descriptor;
  return { reference: formatReference(withDigest(reference, digest)), digest, images };
}

async function openKey({ pem, name = "the key", password }: PrivateKeySource): Promise<SigningKey> {
  return await readPrivateKey(pem, name, password ?? (() => Promise.resolve(new Uint8Array())));
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
