/** Whose certificates are trusted: authorities from PEM, and subjects as notation's trust policies write them. */
import { X509Certificate } from "node:crypto";
import { SlipwayError } from "../../base/errors.ts";
import { parsePem } from "../keys/index.ts";

/** Fails with CERTIFICATE_INVALID and KEY_INVALID (invalid_argument). */
export function parseAuthorities(pem: string, name: string): readonly X509Certificate[] {
  const blocks = parsePem(pem, name).filter(({ label }) => label === "CERTIFICATE");
  if (blocks.length === 0) throw invalid(`${name} holds no certificate`);
  try {
    return blocks.map(({ bytes }) => new X509Certificate(bytes));
  } catch (error) {
    throw invalid(`${name} holds a certificate that cannot be read`, error);
  }
}

/** "C=US, O=Acme, CN=release", also with notation's "x509.subject:" before it. Commas and what else is special in values are written "\\,". Fails with CERTIFICATE_INVALID. */
export function parseSubject(text: string): Readonly<Record<string, string>> {
  const attributes = text.replace(/^x509\.subject:/, "").split(/(?<!\\),/);
  const entries = attributes.map((attribute) => {
    const [, name = "", value = ""] = /^\s*([A-Za-z]+|[0-9.]+)=(.*\S)\s*$/.exec(attribute) ?? [];
    if (name === "") throw invalid(`${JSON.stringify(text)} is no subject: want attributes such as "C=US, O=Acme, CN=release"`);
    return [name, value.replaceAll(/\\(.)/g, "$1")] as const;
  });
  return Object.fromEntries(entries);
}

function invalid(message: string, cause?: unknown): SlipwayError {
  return new SlipwayError("invalid_argument", "CERTIFICATE_INVALID", message, { bare: true }, cause);
}
