/** The library's calls about who made an image. All is about images of registries: what is signed is what others will pull. */
import type { Digest } from "../oci/digest.ts";
import type { Identity, ShownCode } from "../trust/keyless/index.ts";
import type { JsonObject } from "../oci/bounded-json.ts";
import type { AttestationList, ListedAttestation, Attempt, EvidenceFormat, Signer, WrittenSignature } from "../trust/signatures/index.ts";

export type { AttestationList, ListedAttestation, Attempt, EvidenceFormat, Signer, WrittenSignature };
export type { Identity, ShownCode } from "../trust/keyless/index.ts";
export type { Refusal } from "../trust/signatures/index.ts";

export interface PrivateKeySource {
  readonly pem: string;
  /** for messages: its file */
  readonly name?: string;
  /** asked only where the key has one */
  readonly password?: () => Promise<Uint8Array>;
}

export interface PublicKeySource {
  /** a public key or a certificate */
  readonly pem: string;
  readonly name?: string;
}

/** Who signs is said by a token instead of a key. */
export interface KeylessOptions {
  /** default: SIGSTORE_ID_TOKEN, else the one of the GitHub workflow that this runs in, else what `signIn` answers */
  readonly token?: string;
  /** asks somebody for a token where there is none otherwise, as TrustApi.signIn() does; once for each call */
  readonly signIn?: () => Promise<string>;
  /** the token has to be of this one */
  readonly issuer?: string;
  /** the authority; default: sigstore's public one */
  readonly fulcioUrl?: string;
  /** the transparency log; default: sigstore's public one; "" is none, which needs `timestampUrl` */
  readonly rekorUrl?: string;
  /** an authority for time stamps (RFC 3161); default: none */
  readonly timestampUrl?: string;
  /** sigstore's signing_config.json, instead of the addresses above: also several logs and authorities, and logs of Rekor 2 */
  readonly signingConfig?: { readonly json: Uint8Array; readonly name?: string };
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** A code is shown, which somebody types into a browser on another machine. */
export interface SignInOptions {
  /** the OpenID provider; default: the signing config's, else sigstore's public one */
  readonly issuer?: string;
  readonly signingConfig?: NonNullable<KeylessOptions["signingConfig"]>;
  /** as which program it knows us; default: "sigstore" */
  readonly clientId?: string;
  readonly clientSecret?: string;
  readonly onCode: (shown: ShownCode) => void;
  readonly signal?: AbortSignal;
}

export interface SignOptions {
  /** either this or `keyless` */
  readonly key?: PrivateKeySource;
  /** writes bundles alone */
  readonly keyless?: KeylessOptions;
  /** the key's certificate and its issuers up to the root, as PEM: for notation's formats, which are the default then */
  readonly certificates?: PublicKeySource;
  /** with `certificates`, an authority for time stamps (RFC 3161): what it stamped counts when the certificate has expired */
  readonly timestampUrl?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** a repository that signatures are kept in instead of the image's own; they are for the image's all the same */
  readonly signatureRepository?: string;
  /** of an index also every image in it */
  readonly recursive?: boolean;
  /** default: bundle and legacy, or jws where there are certificates */
  readonly formats?: readonly SignatureFormat[];
  readonly signal?: AbortSignal;
}

/** cosign's two, notation's two */
export type SignatureFormat = "bundle" | "legacy" | "jws" | "cose";

export interface SignedImage {
  readonly digest: Digest;
  /** "" where the index says none, or the image stands alone */
  readonly platform: string;
  readonly signatures: readonly WrittenSignature[];
}

export interface SignResult {
  /** in full, with the digest that was signed */
  readonly reference: string;
  readonly digest: Digest;
  readonly images: readonly SignedImage[];
}

export interface PublicTrustedRoot {
  readonly json: Uint8Array;
  readonly name?: string;
  /** for infrastructures of one's own without transparency logs: signatures need no entry there; they need a signed time stamp all the same */
  readonly ignoreLog?: boolean;
  /** the same for logs of certificates */
  readonly ignoreCertificateLog?: boolean;
}

export interface VerifyOptions {
  /** a signature of any of them is accepted */
  readonly keys?: readonly PublicKeySource[];
  /** authorities as PEM: notation's signatures are accepted whose chain has one of their certificates */
  readonly authorities?: readonly PublicKeySource[];
  /** authorities as PEM: a signature of notation's whose certificate has expired counts where one of these stamped it in time */
  readonly timestampAuthorities?: readonly PublicKeySource[];
  /** signers by identity: bundles are accepted that one of them made; needs `trustedRoot` */
  readonly identities?: readonly Identity[];
  /** sigstore's trusted_root.json: whose certificates, logs and time stamps count */
  readonly trustedRoot?: PublicTrustedRoot;
  /** of these signers only, as "C=US, O=Acme, CN=release": every attribute that is named has to be so */
  readonly subjects?: readonly string[];
  /** each has to be signed with its value */
  readonly annotations?: Readonly<Record<string, string>>;
  /** of an index every image in it has to be signed too, each for itself */
  readonly recursive?: boolean;
  /** of an index the image for it is verified instead, as `linux/arm64`: it has to be signed itself */
  readonly platform?: string;
  /** when certificates have to be valid; default: now */
  readonly now?: Date;
  /** a repository that signatures are kept in instead of the image's own; they are for the image's all the same */
  readonly signatureRepository?: string;
  /** repositories besides the image's own that a signature may have been made for, as for copies of a mirror */
  readonly repositories?: readonly string[];
  /** which names a signature has to say, instead of one of the repositories': signatures that say no tag or digest rarely do */
  readonly isSignedName?: (signed: string) => boolean;
  readonly signal?: AbortSignal;
}

export interface AcceptedSignature {
  readonly format: EvidenceFormat;
  readonly manifest: Digest;
  readonly signer: Signer;
  /** the name that was signed; undefined where the signature says none, as cosign's bundles */
  readonly reference: string | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface VerifiedImage {
  readonly digest: Digest;
  /** "" where the index says none */
  readonly platform: string;
  readonly signatures: readonly AcceptedSignature[];
  readonly refused: readonly Attempt[];
  readonly unread: readonly string[];
}

export interface Verification {
  /** in full, with the digest that was verified: what is to be used from here on */
  readonly reference: string;
  readonly digest: Digest;
  readonly signatures: readonly AcceptedSignature[];
  readonly refused: readonly Attempt[];
  /** what was not looked at, and why: more signatures than anybody looks at, a list of them without an end */
  readonly unread: readonly string[];
  /** with `recursive`: the index's images */
  readonly images?: readonly VerifiedImage[];
}

export interface AttestOptions {
  /** either this or `keyless` */
  readonly key?: PrivateKeySource;
  /** writes bundles alone */
  readonly keyless?: KeylessOptions;
  /** "spdxjson", "cyclonedx", "slsaprovenance1", "openvex", "vuln", … or a URI */
  readonly type: string;
  /** a JSON object; for "custom" any text */
  readonly predicate: Uint8Array;
  /** for messages: its file */
  readonly predicateName?: string;
  /** a repository that signatures are kept in instead of the image's own; they are for the image's all the same */
  readonly signatureRepository?: string;
  /** of an index also every image in it */
  readonly recursive?: boolean;
  /** default: both */
  readonly formats?: readonly ("bundle" | "legacy")[];
  readonly signal?: AbortSignal;
}

export interface ListOptions {
  /** a repository that signatures are kept in instead of the image's own; they are for the image's all the same */
  readonly signatureRepository?: string;
  readonly signal?: AbortSignal;
}

/** By its own words: nothing of it is verified. */
export interface ListedSignature {
  readonly format: EvidenceFormat;
  readonly manifest: Digest;
  readonly isReadable: boolean;
  /** "the key sha256:…", "a key", "dev@acme.example, as https://accounts.acme.example says", "O=Acme, CN=release" */
  readonly claimedBy: string | undefined;
  /** the name that it says to be for */
  readonly claimedFor: string | undefined;
  readonly sizeBytes: number;
}

export interface SignatureList {
  readonly reference: string;
  readonly signatures: readonly ListedSignature[];
  /** what was not looked at, and why */
  readonly unread: readonly string[];
}

export interface VerifyAttestationOptions extends Omit<
  VerifyOptions,
  "annotations" | "authorities" | "timestampAuthorities" | "isSignedName" | "subjects" | "now" | "recursive"
> {
  /** as for attest; any when absent */
  readonly type?: string;
}

export interface AcceptedAttestation {
  readonly format: EvidenceFormat;
  readonly manifest: Digest;
  readonly signer: Signer;
  /** the repository that it was made for; undefined where it says none */
  readonly reference: string | undefined;
  /** a URI */
  readonly predicateType: string;
  /** a text where somebody signed a document that is no JSON */
  readonly predicate: JsonObject | string;
}

export interface AttestationVerification extends Omit<Verification, "signatures"> {
  readonly attestations: readonly AcceptedAttestation[];
}

export interface TrustApi {
  /**
   * Signs what the registry has under the name. Doing it again changes nothing; signatures of others stay.
   * Fails with KEY_INVALID, KEY_PASSWORD, KEY_UNSUPPORTED and the codes of pull and push; keyless with IDENTITY_TOKEN_MISSING,
   * IDENTITY_TOKEN_INVALID, IDENTITY_TOKEN_REFUSED, KEYLESS_REFUSED, KEYLESS_UNAVAILABLE.
   */
  sign(reference: string, options: SignOptions): Promise<SignResult>;
  /** An identity token, for `keyless`. Fails with SIGN_IN_UNAVAILABLE and SIGN_IN_FAILED. */
  signIn(options: SignInOptions): Promise<string>;
  /**
   * Fails with SIGNATURE_MISSING or SIGNATURE_REFUSED (denied) unless at least one signature is accepted; `details.attempts` tells of each that was not.
   */
  verify(reference: string, options: VerifyOptions): Promise<Verification>;
  /**
   * Signs a statement about what the registry has under the name. The same again changes nothing.
   * Fails as sign, and with INVALID_PREDICATE_TYPE and INVALID_DOCUMENT (invalid_argument).
   */
  attest(reference: string, options: AttestOptions): Promise<SignResult>;
  /** Fails as verify, where no attestation is accepted. */
  verifyAttestations(reference: string, options: VerifyAttestationOptions): Promise<AttestationVerification>;
  /** What says to be a signature, by whomever: nothing of it is verified. */
  signatures(reference: string, options?: ListOptions): Promise<SignatureList>;
  /** What is attested, by whomever: nothing of it is verified. */
  attestations(reference: string, options?: ListOptions): Promise<AttestationList & { readonly reference: string }>;
}
