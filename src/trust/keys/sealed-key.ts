/**
 * Private keys under a password, as cosign keeps them: scrypt, then NaCl's secretbox, as JSON in PEM.
 * @see github.com/secure-systems-lab/go-securesystemslib, encrypted
 */
import { randomBytes, scrypt } from "node:crypto";
import { promisify } from "node:util";
import { SlipwayError } from "../../base/errors.ts";
import { Fields, parseJsonObject } from "../../oci/bounded-json.ts";
import { formatPem, keyInvalid, type PemBlock } from "./pem.ts";
import { sealedLabels } from "./sealed-labels.ts";

interface Cost {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

/** what cosign writes, and the least that it reads */
const usualCost: Cost = { N: 65_536, r: 8, p: 1 };
/** sixteen times the usual: a few seconds, and a gigabyte of memory at the most */
const maxWork = 16 * usualCost.N * usualCost.r * usualCost.p;
const limits = { maxBytes: 64 * 1024, maxDepth: 8 };

const derive = promisify<Uint8Array, Uint8Array, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(scrypt);

async function boxKey(password: Uint8Array, salt: Uint8Array, { N, r, p }: Cost): Promise<Buffer> {
  return await derive(password, salt, 32, { N, r, p, maxmem: 128 * r * (N + p + 2) + 1024 });
}

export async function sealPrivateKey(pkcs8: Uint8Array, password: Uint8Array): Promise<string> {
  const { xsalsa20poly1305 } = await import("@noble/ciphers/salsa.js");
  const salt = randomBytes(32);
  const nonce = randomBytes(24);
  const ciphertext = xsalsa20poly1305(await boxKey(password, salt, usualCost), nonce).encrypt(pkcs8);
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
  const file = {
    kdf: { name: "scrypt", params: usualCost, salt: base64(salt) },
    cipher: { name: "nacl/secretbox", nonce: base64(nonce) },
    ciphertext: base64(ciphertext),
  };
  return formatPem(sealedLabels[0], Buffer.from(JSON.stringify(file)));
}

/**
 * Answers PKCS#8 bytes. Fails with KEY_INVALID (invalid_argument), KEY_COST (resource_exhausted) for a cost of scrypt that would hold the
 * machine, before anything is derived, and KEY_PASSWORD (unauthenticated).
 */
export async function openSealedKey(block: PemBlock, password: Uint8Array, what: string): Promise<Uint8Array> {
  const { cost, salt, nonce, ciphertext } = parseSealed(block, what);
  const { xsalsa20poly1305 } = await import("@noble/ciphers/salsa.js");
  const key = await boxKey(password, salt, cost);
  try {
    return xsalsa20poly1305(key, nonce).decrypt(ciphertext);
  } catch (error) {
    throw wrongPassword(what, error);
  }
}

export function wrongPassword(what: string, cause?: unknown): SlipwayError {
  return new SlipwayError("unauthenticated", "KEY_PASSWORD", `${what}: the password is wrong, or the file is damaged`, { what, bare: true }, cause);
}

function parseSealed(block: PemBlock, what: string): { cost: Cost; salt: Buffer; nonce: Buffer; ciphertext: Buffer } {
  const file = new Fields(parseJsonObject(block.bytes, what, limits), what);
  const kdf = file.child("kdf");
  const cipher = file.child("cipher");
  const params = kdf?.child("params");
  if (kdf?.string("name") !== "scrypt" || params === undefined) throw keyInvalid(what, "its password is not protected by scrypt");
  if (cipher?.string("name") !== "nacl/secretbox") throw keyInvalid(what, "it is not encrypted by nacl/secretbox");
  const bytes = (fields: Fields, key: string): Buffer => Buffer.from(fields.requiredString(key), "base64");
  const nonce = bytes(cipher, "nonce");
  const salt = bytes(kdf, "salt");
  const ciphertext = bytes(file, "ciphertext");
  if (nonce.length !== 24 || salt.length < 8 || ciphertext.length < 17) throw keyInvalid(what, "its salt, nonce or ciphertext is too short");
  return { cost: checkedCost(params, what), salt, nonce, ciphertext };
}

function checkedCost(params: Fields, what: string): Cost {
  const [N = 0, r = 0, p = 0] = ["N", "r", "p"].map((name) => params.integer(name));
  const cost = { N, r, p };
  if (!(N > 1 && r > 0 && p > 0 && N * r * p <= maxWork) || (N & (N - 1)) !== 0) {
    throw new SlipwayError(
      "resource_exhausted",
      "KEY_COST",
      `${what} asks for scrypt with N=${N}, r=${r}, p=${p}: at most ${maxWork / usualCost.N / usualCost.r} times the usual N=${usualCost.N}, r=${usualCost.r}, p=${usualCost.p} is done`,
      { what, ...cost, bare: true },
    );
  }
  return cost;
}
