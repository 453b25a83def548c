/** Signatures by identities instead of keys. */
export { anchored, readTrustedRoot, verifyKeyless, type Identity, type KeylessTrust } from "./verify-keyless.ts";
