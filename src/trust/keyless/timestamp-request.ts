/** A question for a time stamp over a signature: its SHA-256, a number used once, and the wish for certificates. @see RFC 3161, 2.4.1 */
import { createHash } from "node:crypto";

const version = [0x02, 0x01, 0x01];
/** the sequence of algorithm (2.16.840.1.101.3.4.2.1, no parameters) and 32 bytes of digest */
const sha256Imprint = [0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20];
const wantsCertificates = [0x01, 0x01, 0xff];

/** DER. `nonce`: eight bytes. */
export function timestampRequest(signature: Uint8Array, nonce: Uint8Array): Buffer {
  const digest = createHash("sha256").update(signature).digest();
  const number = Buffer.from(nonce);
  // neither negative nor with a leading zero
  number[0] = ((number[0] ?? 0) & 0x3f) | 0x40;
  const content = Buffer.concat([
    Buffer.from(version),
    Buffer.from(sha256Imprint),
    digest,
    Buffer.from([0x02, number.length]),
    number,
    Buffer.from(wantsCertificates),
  ]);
  return Buffer.concat([Buffer.from([0x30, content.length]), content]);
}
