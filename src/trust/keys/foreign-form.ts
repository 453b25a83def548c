/** What a file is that is no key as it is expected here, as far as its beginning tells, and what makes one of it. */
import { sealedLabels } from "./sealed-labels.ts";

/** Of a file without PEM. */
export function remedyOfText(text: string, what: string): string | undefined {
  if (text.trim() === "") return "the file is empty";
  if (/^(?:ssh-|ecdsa-sha2-|sk-)/u.test(text)) return `that is OpenSSH's form: ssh-keygen -e -m PKCS8 -f ${what} prints it as PEM`;
  // a sequence of ASN.1 whose length takes several bytes, or one; bytes that are no text were replaced
  if (text.startsWith("0") && /[\u0000-\u0008\uFFFD]/u.test(text.slice(0, 64))) {
    return `that may be DER, openssl pkey -inform DER -in ${what} prints it as PEM, or PKCS #12: openssl pkcs12 -in ${what} -nocerts -nodes`;
  }
  return undefined;
}

/** Of PEM that holds something else than a private key. */
export function remedyForPrivate(labels: readonly string[], what: string): string | undefined {
  if (labels.includes("OPENSSH PRIVATE KEY")) return `ssh-keygen -p -m PKCS8 -f FILE writes a copy of ${what} anew as PEM that can be read`;
  if (labels.some((label) => label.endsWith("PUBLIC KEY"))) return "signing takes the private key; that is the public one, which verifies";
  if (labels.includes("CERTIFICATE")) return "signing takes the private key that belongs to the certificate";
  return undefined;
}

/** Of PEM that holds something else than a public key. */
export function remedyForPublic(labels: readonly string[], what: string): string | undefined {
  if (labels.some((label) => sealedLabels.some((one) => one === label)))
    return "that is the private key; what verifies is in the file .pub that was written with it";
  if (labels.some((label) => label.endsWith("PRIVATE KEY"))) return `that is the private key; openssl pkey -in ${what} -pubout prints the public one`;
  return undefined;
}
