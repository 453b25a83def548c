/**
 * What an image is made of, who made it, and what is said about it: keys, signatures and attestations as values and pure checks, and their way into and out of
 * repositories through a registry client.
 *
 * @example
 * import { readPublicKey } from "slipway/trust";
 * readPublicKey(pem, "release.pub").verify(bytes, signature);
 */
export * from "./contents.ts";
export * from "./keys/index.ts";
export * from "./keyless/index.ts";
export * from "./notation/index.ts";
export * from "./signatures/index.ts";
