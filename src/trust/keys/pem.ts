/** PEM: labelled base64 between two lines. @see RFC 7468 */
import { SlipwayError } from "../../base/errors.ts";
import { remedyOfText } from "./foreign-form.ts";

export interface PemBlock {
  /** "PUBLIC KEY" */
  readonly label: string;
  readonly bytes: Buffer;
  /** the block as it was written, from its first dash to its last */
  readonly text: string;
  /** a password is needed, by the headers of OpenSSL's old form */
  readonly encrypted: boolean;
}

/** more than keys and chains of certificates ever have */
const maxPemLength = 256 * 1024;
const block = /-----BEGIN ([A-Z0-9 ]{1,64})-----\r?\n([\s\S]*?)-----END \1-----/g;

/** What stands between blocks is passed over. Fails with KEY_INVALID (invalid_argument) where there is no block, or no base64 in one. */
export function parsePem(text: string, what: string): readonly [PemBlock, ...PemBlock[]] {
  if (text.length > maxPemLength) throw keyInvalid(what, `it is longer than ${maxPemLength} characters`);
  const [first, ...others] = [...text.matchAll(block)].map(([whole, label = "", body = ""]): PemBlock => {
    const headers = /^(?:[A-Za-z-]+: .*\r?\n)+\r?\n/.exec(body)?.[0] ?? "";
    const base64 = body.slice(headers.length).replace(/\s+/g, "");
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) throw keyInvalid(what, `the ${label} in it is not base64`);
    return { label, bytes: Buffer.from(base64, "base64"), text: whole, encrypted: /^Proc-Type: 4,ENCRYPTED/m.test(headers) };
  });
  if (first === undefined) throw keyInvalid(what, "it is not PEM", undefined, remedyOfText(text, what));
  return [first, ...others];
}

export function formatPem(label: string, bytes: Uint8Array): string {
  const base64 = Buffer.from(bytes).toString("base64");
  return `-----BEGIN ${label}-----\n${base64.replace(/.{1,64}/g, "$&\n")}-----END ${label}-----\n`;
}

/** `remedy`: what to do about it, where that is known. */
export function keyInvalid(what: string, why: string, cause?: unknown, remedy?: string): SlipwayError {
  const details = { what, bare: true, ...(remedy === undefined ? {} : { remedy }) };
  return new SlipwayError("invalid_argument", "KEY_INVALID", `${what} cannot be read as a key: ${why}`, details, cause);
}
