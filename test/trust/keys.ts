/** Keys for tests of signatures, and the reasons of a refusal. */
import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import type { PublicKeySource, PrivateKeySource } from "../../src/engine/index.ts";

export interface Pair {
  readonly key: PrivateKeySource;
  readonly keys: readonly PublicKeySource[];
  readonly privateKey: KeyObject;
}

export function pair(name: string): Pair {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pem = (key: KeyObject, type: "pkcs8" | "spki"): string => key.export({ type: type as "spki", format: "pem" }).toString();
  return { privateKey, key: { pem: pem(privateKey, "pkcs8"), name: `${name}.key` }, keys: [{ pem: pem(publicKey, "spki"), name: `${name}.pub` }] };
}

/** The refusals of a verification that fails with the code. */
export async function refusals(work: Promise<unknown>, code = "SIGNATURE_REFUSED"): Promise<readonly string[]> {
  const error = await work.then(
    () => assert.fail("it was verified"),
    (thrown: unknown) => thrown as { readonly code: string; readonly details: { readonly attempts: readonly { readonly refusal: string }[] } },
  );
  assert.equal(error.code, code);
  return error.details.attempts.map(({ refusal }) => refusal);
}
