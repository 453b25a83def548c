/**
 * Which name a signature has to say of an image that is asked for by some name: containers' words, compared as they do. Pure.
 * @see containers-policy.json(5), signedIdentity
 */
import { isSlipwayError } from "../../base/errors.ts";
import { formatReference, parseReference, repositoryName, withDigest, type Reference } from "../../oci/reference.ts";

export type SignedNameRule =
  /** the very name, with its tag or digest */
  | { readonly kind: "exact" }
  /** the very name where a tag was asked for, the repository where a digest was */
  | { readonly kind: "exactOrDigest" }
  | { readonly kind: "reference"; readonly reference: string }
  | { readonly kind: "repository"; readonly repository: string }
  /** as exactOrDigest, with another beginning of the name where it begins so */
  | { readonly kind: "prefix"; readonly prefix: string; readonly signedPrefix: string };

/** Names without tag and digest were signed for no image in particular: only repositories compare with them. */
export function isSignedName(rule: SignedNameRule, asked: Reference, text: string): boolean {
  const signed = parsed(text);
  if (signed === undefined) return false;
  switch (rule.kind) {
    case "exact":
      return isSame(asked, signed);
    case "exactOrDigest":
      return isSameOrOfRepository(asked, signed);
    case "reference":
      return isSame(parsed(rule.reference), signed);
    case "repository":
      return repositoryName(signed) === parsedRepository(rule.repository);
    case "prefix":
      return isSameOrOfRepository(remapped(rule, asked), signed);
  }
}

function parsed(text: string): Reference | undefined {
  try {
    return parseReference(text);
  } catch (error) {
    if (isSlipwayError(error)) return undefined;
    throw error;
  }
}

function parsedRepository(text: string): string | undefined {
  const reference = parsed(text);
  return reference === undefined ? undefined : repositoryName(reference);
}

function isSame(asked: Reference | undefined, signed: Reference): boolean {
  if (asked === undefined || (signed.tag === undefined && signed.digest === undefined)) return false;
  return formatReference(asked) === formatReference(signed);
}

function isSameOrOfRepository(asked: Reference | undefined, signed: Reference): boolean {
  if (asked === undefined || (signed.tag === undefined && signed.digest === undefined)) return false;
  return asked.tag === undefined ? repositoryName(asked) === repositoryName(signed) : isSame(asked, signed);
}

/** A prefix ends where a part of the name does. */
function remapped({ prefix, signedPrefix }: { readonly prefix: string; readonly signedPrefix: string }, asked: Reference): Reference | undefined {
  const name = repositoryName(asked);
  if (name !== prefix && !name.startsWith(`${prefix}/`)) return asked;
  const original = parsed(`${signedPrefix}${name.slice(prefix.length)}`);
  if (original === undefined) return undefined;
  const tagged = asked.tag === undefined ? original : { ...original, tag: asked.tag };
  return asked.digest === undefined ? tagged : withDigest(tagged, asked.digest);
}
