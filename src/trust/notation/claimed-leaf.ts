/** Whose certificate one of notation's signatures has, by its own words: nothing of it is verified. */
import { isSlipwayError } from "../../base/errors.ts";
import { Refused } from "../signatures/evidence.ts";
import { nameOf, parseChain } from "./chain.ts";
import { parseCose } from "./cose.ts";
import { parseJws } from "./jws.ts";
import { coseMediaType } from "./verify-notation.ts";

/** "O=Acme, CN=release"; undefined where the signature cannot be read. */
export function claimedLeaf(mediaType: string, bytes: Uint8Array): string | undefined {
  try {
    const { certificates } = mediaType === coseMediaType ? parseCose(bytes) : parseJws(bytes);
    const [leaf] = parseChain(certificates);
    return leaf === undefined ? undefined : nameOf(leaf);
  } catch (error) {
    if (error instanceof Refused || isSlipwayError(error)) return undefined;
    throw error;
  }
}
