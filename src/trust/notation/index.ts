/** Notation's signatures: with chains of certificates, as JWS and COSE. */
export { readSigningChain, signNotation, type NotationFormat, type NotationRequest } from "./sign-notation.ts";
export { parseAuthorities, parseSubject } from "./authorities.ts";
export { verifyNotation, type Authorities, type VerifiedNotation } from "./verify-notation.ts";
export { claimedLeaf } from "./claimed-leaf.ts";
