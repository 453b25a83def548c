/** in-toto statements: a claim of some type about things that digests name. @see github.com/in-toto/attestation, spec/v1/statement.md */
import { Fields, parseJsonObject, type JsonObject } from "../../oci/bounded-json.ts";
import { algorithmOf, hexOf, type Digest } from "../../oci/digest.ts";

export const statementPayloadType = "application/vnd.in-toto+json";
export const signaturePredicateType = "https://sigstore.dev/cosign/sign/v1";

const statementTypes: ReadonlySet<string> = new Set(["https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"]);
const maxSubjects = 1000;
const maxDepth = 200;

export interface Subject {
  readonly name: string | undefined;
  /** by algorithm: { sha256: "…" } */
  readonly digest: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface Statement {
  readonly subjects: readonly Subject[];
  readonly predicateType: string;
  /** a text where somebody signed a document that is no JSON */
  readonly predicate: JsonObject | string;
}

/** Fails with INVALID_DOCUMENT and DOCUMENT_TOO_LARGE. */
export function parseStatement(payload: Uint8Array): Statement {
  const fields = new Fields(parseJsonObject(payload, "statement", { maxBytes: payload.length, maxDepth, isUnambiguous: true }), "statement");
  if (!statementTypes.has(fields.requiredString("_type"))) throw fields.fail("_type", [...statementTypes].join(" or "));
  const subjects = fields.children("subject") ?? [];
  if (subjects.length === 0 || subjects.length > maxSubjects) throw fields.fail("subject", `1 to ${maxSubjects} subjects`);
  return {
    subjects: subjects.map((one) => ({
      name: one.string("name"),
      digest: one.stringMap("digest") ?? {},
      annotations: annotationsOf(one),
    })),
    predicateType: fields.requiredString("predicateType"),
    predicate: predicateIn(fields),
  };
}

function predicateIn(fields: Fields): JsonObject | string {
  const predicate = fields.get("predicate");
  return typeof predicate === "string" ? predicate : (fields.child("predicate")?.object ?? {});
}

/** Annotations may have values of any type; what is no text is compared as its JSON. */
function annotationsOf(subject: Fields): Readonly<Record<string, string>> {
  const entries = Object.entries(subject.child("annotations")?.object ?? {});
  return Object.fromEntries(entries.map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]));
}

export function isAbout(subject: Subject, digest: Digest): boolean {
  const algorithm = algorithmOf(digest);
  return Object.hasOwn(subject.digest, algorithm) && subject.digest[algorithm] === hexOf(digest);
}

export interface NewStatement {
  /** "https://in-toto.io/Statement/v1" when absent */
  readonly type?: string;
  readonly name: string;
  readonly digest: Digest;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly predicateType: string;
  readonly predicate: unknown;
}

export function formatStatement({ type, name, digest, annotations = {}, predicateType, predicate }: NewStatement): Buffer {
  const noted = Object.keys(annotations).length === 0 ? {} : { annotations };
  const subject = [{ name, digest: { [algorithmOf(digest)]: hexOf(digest) }, ...noted }];
  return Buffer.from(JSON.stringify({ _type: type ?? "https://in-toto.io/Statement/v1", subject, predicateType, predicate }));
}
