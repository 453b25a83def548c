/** What a signature has to say to be accepted, whoever made it. */
import { SlipwayError } from "../../base/errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { parseReference, repositoryName } from "../../oci/reference.ts";
import { Refused } from "./evidence.ts";
import { isAbout, type Statement, type Subject } from "./statement.ts";

export interface Expectation {
  readonly digest: Digest;
  /** full names of the repositories that the signature may be for */
  readonly repositories: readonly string[];
  /** which names a signature has to say, instead of one of the repositories'; formats that have no place for a tag are refused then */
  readonly isName?: ((signed: string) => boolean) | undefined;
  /** each has to be signed with its value */
  readonly annotations: Readonly<Record<string, string>>;
}

/** What a signature says. */
export interface Claim {
  /** as it was signed; undefined where the format has no place for it, or it was left empty */
  readonly reference: string | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The signed name's repository; undefined for a name that is none. */
export function repositoryOfName(name: string): string | undefined {
  try {
    return repositoryName(parseReference(name));
  } catch (error) {
    if (error instanceof SlipwayError) return undefined;
    throw error;
  }
}

function isExpectedName({ isName, repositories }: Expectation, name: string): boolean {
  return isName === undefined ? repositories.includes(repositoryOfName(name) ?? "") : isName(name);
}

/** Throws Refused. */
export function checkReference(expected: Expectation, name: string): void {
  if (!isExpectedName(expected, name)) {
    throw new Refused("repository", `it was made for ${name === "" ? "no repository" : name}`);
  }
}

/** Throws Refused. */
export function checkAnnotations(expected: Expectation, annotations: Readonly<Record<string, string>>): void {
  for (const [key, value] of Object.entries(expected.annotations)) {
    if (!Object.hasOwn(annotations, key)) throw new Refused("annotations", `it has no annotation ${key}`);
    if (annotations[key] !== value) throw new Refused("annotations", `its annotation ${key} is ${JSON.stringify(annotations[key])}`);
  }
}

/**
 * The subject that is the image. Bundles of cosign name no repository, ours do: a name that is there has to be right.
 * Throws Refused.
 */
export function checkSubjects(expected: Expectation, { subjects }: Statement): Subject {
  const about = subjects.filter((subject) => isAbout(subject, expected.digest));
  if (about.length === 0) {
    const [first] = subjects;
    throw new Refused("subject", `it is about ${first?.digest["sha256"] === undefined ? "something else" : `sha256:${first.digest["sha256"]}`}`);
  }
  const isNameless = ({ name = "" }: Subject): boolean => name === "" && expected.isName === undefined;
  const named = about.find((subject) => isNameless(subject) || isExpectedName(expected, subject.name ?? ""));
  if (named === undefined) throw new Refused("repository", `it was made for ${about[0]?.name ?? "no repository"}`);
  return named;
}
