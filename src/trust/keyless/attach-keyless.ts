/** Signatures and attestations for an identity, as bundles that refer to the image. Each is a new one: its key is gone when it is made. */
import type { Descriptor } from "../../oci/manifest.ts";
import { repositoryName, type Reference } from "../../oci/reference.ts";
import type { RegistryClient } from "../../registry/index.ts";
import type { WrittenSignature } from "../signatures/sign-image.ts";
import { formatStatement, signaturePredicateType } from "../signatures/statement.ts";
import { attachBundle } from "../signatures/write-evidence.ts";
import type { IdentityToken } from "./identity-token.ts";
import type { KeylessServices } from "./services.ts";
import { keylessBundle } from "./sign-keyless.ts";

export interface KeylessRequest {
  readonly client: RegistryClient;
  readonly reference: Reference;
  /** the repository that signatures are kept in */
  readonly place: Reference;
  readonly subject: Descriptor;
  readonly token: IdentityToken;
  readonly services: KeylessServices;
  /** a signature where there is none */
  readonly attested?: { readonly predicateType: string; readonly predicate: unknown };
  readonly annotations?: Readonly<Record<string, string>>;
  readonly now: Date;
  readonly signal?: AbortSignal | undefined;
}

export async function attachKeyless(request: KeylessRequest): Promise<readonly WrittenSignature[]> {
  const { client, reference, place, subject, token, services, annotations = {}, now, signal } = request;
  const { predicateType, predicate } = request.attested ?? { predicateType: signaturePredicateType, predicate: {} };
  const name = repositoryName(reference);
  signal?.throwIfAborted();
  const bundle = await keylessBundle(formatStatement({ name, digest: subject.digest, annotations, predicateType, predicate }), { token, services, signal });
  const target = { client, repository: place, signal };
  return [{ format: "bundle", manifest: await attachBundle(target, subject, bundle, predicateType, now), existed: false }];
}
