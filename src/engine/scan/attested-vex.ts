/** OpenVEX statements that somebody who is trusted attested about an image, or about the base that it was built on. */
import { isSlipwayError } from "../../base/errors.ts";
import { digestOf, type Digest } from "../../oci/digest.ts";
import { formatReference, parseReference, repositoryName, withDigest } from "../../oci/reference.ts";
import { parseVex, type VexStatement } from "../../trust/findings/vex.ts";
import type { ImageInventory } from "../../trust/packages/index.ts";
import { verifyAttestations } from "../signing/attestations.ts";
import { parseLocation } from "../transports/location.ts";
import { settleName, type Surroundings } from "../transports/open-source.ts";
import type { VerifyAttestationOptions } from "../trust-api.ts";

/** whose statements count */
export type VexSigners = Pick<VerifyAttestationOptions, "keys" | "identities" | "trustedRoot">;

export interface VexScope {
  readonly statements: readonly VexStatement[];
  /** whom they speak of: the image, or its base in the image's place */
  readonly image: ImageInventory;
  /** a base's maker speaks of what is the base's */
  readonly fromBaseOnly: boolean;
}

/** Of an image that no registry has there are none. Fails as verify does where the registry does not answer. */
export async function attestedVex(surroundings: Surroundings, name: string, image: ImageInventory, signers: VexSigners): Promise<readonly VexScope[]> {
  const scopes: VexScope[] = [];
  for (const reference of ownReferences(surroundings, name, image))
    scopes.push({ statements: await statementsAt(surroundings, reference, signers), image, fromBaseOnly: false });
  const base = image.base === undefined ? undefined : parsedBase(image.base.reference);
  if (base !== undefined) {
    const statements = await statementsAt(surroundings, base.reference, signers);
    scopes.push({ statements, image: { ...image, name: base.name, id: base.digest, manifest: base.digest }, fromBaseOnly: true });
  }
  return scopes.toSorted((a, b) => Number(b.fromBaseOnly) - Number(a.fromBaseOnly));
}

/** By digest, what the name stands for and the platform's image: in the repository that was named, else wherever the image is known to be. */
function ownReferences(surroundings: Surroundings, name: string, { id, manifest }: ImageInventory): readonly string[] {
  const { store } = surroundings;
  const location = settleName(surroundings, parseLocation(name));
  const found = new Set<string>();
  if (location.kind === "registry") {
    found.add(formatReference(location.reference));
    if (manifest !== undefined) found.add(formatReference(withDigest(location.reference, manifest)));
  }
  if (location.kind === "store") {
    const reference = parseReference(location.name);
    const named = store.images.byName(formatReference(reference));
    const known = [...new Set([id, ...(named === undefined ? [] : [named])])].flatMap((one) => store.images.repoDigests(one));
    const own = known.filter(({ repository }) => repository === repositoryName(reference));
    for (const { repository, digest } of own.length > 0 ? own : known)
      for (const each of [digest, ...(manifest === undefined ? [] : [manifest])]) found.add(`${repository}@${each}`);
  }
  return [...found];
}

/** A base that is known by its name alone may be another by now. */
function parsedBase(text: string): { readonly reference: string; readonly name: string; readonly digest: Digest } | undefined {
  const { digest, ...named } = parseReference(text);
  return digest === undefined ? undefined : { reference: text, name: formatReference(named), digest };
}

const nothing = ["SIGNATURE_MISSING", "SIGNATURE_REFUSED"];

/** What others attested counts as little as nothing. */
async function statementsAt(surroundings: Surroundings, reference: string, signers: VexSigners): Promise<readonly VexStatement[]> {
  const { signal } = surroundings;
  try {
    const options = { ...signers, type: "openvex", ...(signal === undefined ? {} : { signal }) };
    const { attestations } = await verifyAttestations(surroundings, reference, options);
    const texts = new Map(attestations.map(({ predicate }) => JSON.stringify(predicate)).map((text) => [digestOf(text), text]));
    return [...texts.values()].flatMap((text) => parseVex(Buffer.from(text), `statement about ${reference}`));
  } catch (error) {
    if (isSlipwayError(error) && (error.kind === "not_found" || nothing.includes(error.code))) return [];
    throw error;
  }
}
