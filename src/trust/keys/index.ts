/** Keys that sign images: made, read, and kept under a password in cosign's form. */
export { generatePrivateKey, keyTypes } from "./generate-key.ts";
export { describeKey, keyFingerprint, spkiOf, type KeyType } from "./key-type.ts";
export { formatPem, keyInvalid, parsePem, type PemBlock } from "./pem.ts";
export { readPrivateKey, type AskPassword, type SigningKey } from "./private-key.ts";
export { formatPublicKey, readPublicKey, verificationKey, type VerificationKey } from "./public-key.ts";
export { sealPrivateKey } from "./sealed-key.ts";
