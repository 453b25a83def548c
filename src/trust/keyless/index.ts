/** Signatures by identities instead of keys. */
export { attachKeyless } from "./attach-keyless.ts";
export { certificateClaims } from "./certificate-claims.ts";
export { exchange } from "./call-service.ts";
export { publicClientId, publicIssuer, signInByDevice, type ShownCode } from "./device-sign-in.ts";
export { parseIdentityToken, type IdentityToken } from "./identity-token.ts";
export { publicServices, type KeylessServices } from "./services.ts";
export { readSigningConfig } from "./signing-config.ts";
export { anchored, matching } from "./patterns.ts";
export { isKeyless, readTrustedRoot, verifyKeyless, verifyKeylessAttestation, type Identity, type KeylessTrust } from "./verify-keyless.ts";
