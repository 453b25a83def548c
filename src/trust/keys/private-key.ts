/** Private keys: from every form that people keep them in to one that signs. */
import { createPrivateKey, createPublicKey, sign, type KeyObject } from "node:crypto";
import { remedyForPrivate } from "./foreign-form.ts";
import { describeKey, keyFingerprint } from "./key-type.ts";
import { keyInvalid, parsePem, type PemBlock } from "./pem.ts";
import { openSealedKey, wrongPassword } from "./sealed-key.ts";
import { sealedLabels } from "./sealed-labels.ts";

/** Asked once, and only where the key has a password. */
export type AskPassword = () => Promise<Uint8Array>;

export interface SigningKey {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
  /** "ECDSA P-256" */
  readonly description: string;
  /** SHA-256 over the public key */
  readonly fingerprint: Buffer;
  /** ECDSA with SHA-256 as ASN.1, RSA PKCS #1 v1.5 with SHA-256, or Ed25519: what verifiers of images expect of such a key. */
  readonly sign: (bytes: Uint8Array) => Buffer;
}

const plainLabels: readonly string[] = ["PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY"];

/** `what` names the file in messages. Fails with KEY_INVALID, KEY_PASSWORD, KEY_COST and KEY_UNSUPPORTED. */
export async function readPrivateKey(text: string, what: string, password: AskPassword): Promise<SigningKey> {
  const privateKey = await keyObject(text, what, password);
  const description = describeKey(privateKey, what);
  const publicKey = createPublicKey(privateKey);
  const digest = privateKey.asymmetricKeyType === "ed25519" ? null : "sha256";
  return { publicKey, privateKey, description, fingerprint: keyFingerprint(publicKey), sign: (bytes) => sign(digest, bytes, privateKey) };
}

async function keyObject(text: string, what: string, password: AskPassword): Promise<KeyObject> {
  const blocks = parsePem(text, what);
  const sealed = blocks.find(({ label }) => sealedLabels.some((one) => one === label));
  if (sealed !== undefined) {
    const der = Buffer.from(await openSealedKey(sealed, await password(), what));
    return attempt(what, () => createPrivateKey({ key: der, format: "der", type: "pkcs8" }));
  }
  const plain = blocks.find(({ label }) => plainLabels.includes(label));
  if (plain === undefined) {
    const labels = blocks.map(({ label }) => label);
    throw keyInvalid(what, `it holds ${labels.join(", ")}, and no private key`, undefined, remedyForPrivate(labels, what));
  }
  if (!needsPassword(plain)) return attempt(what, () => createPrivateKey(plain.text));
  const passphrase = Buffer.from(await password());
  try {
    return createPrivateKey({ key: plain.text, passphrase });
  } catch (error) {
    throw wrongPassword(what, error);
  }
}

function needsPassword({ label, encrypted }: PemBlock): boolean {
  return label === "ENCRYPTED PRIVATE KEY" || encrypted;
}

function attempt(what: string, create: () => KeyObject): KeyObject {
  try {
    return create();
  } catch (error) {
    throw keyInvalid(what, error instanceof Error ? error.message : String(error), error);
  }
}
