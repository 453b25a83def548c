/** New keys. */
import { generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import type { KeyType } from "./key-type.ts";

const generate = promisify(generateKeyPair);

/** Types that other programs verify too come first. */
export const keyTypes: readonly KeyType[] = ["ecdsa-p256", "rsa-3072", "rsa-4096", "rsa-2048", "ecdsa-p384", "ecdsa-p521", "ed25519"];

export async function generatePrivateKey(type: KeyType): Promise<KeyObject> {
  const [algorithm, size = ""] = type.split("-");
  if (algorithm === "ed25519") return (await generate("ed25519")).privateKey;
  if (algorithm === "rsa") return (await generate("rsa", { modulusLength: Number(size) })).privateKey;
  return (await generate("ec", { namedCurve: size.toUpperCase().replace("P", "P-") })).privateKey;
}
