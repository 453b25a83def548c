/** Certificates for tests, made by openssl. */
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

export const noOpenssl: string | false = spawnSync("openssl", ["version"]).error === undefined ? false : "needs openssl";

export interface Issued {
  readonly name: string;
  /** PKCS#8 */
  readonly key: string;
  readonly certificate: string;
  /** the certificate and its issuers, up to the root */
  readonly chain: string;
}

export const usages = {
  root: ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"],
  leaf: ["basicConstraints=critical,CA:FALSE", "keyUsage=critical,digitalSignature", "extendedKeyUsage=codeSigning"],
} as const;

/** In `directory`; without `issuer` it issues itself. `key`: openssl's words for another kind of key. */
export function issue(
  directory: string,
  name: string,
  extensions: readonly string[],
  issuer?: Issued,
  key: readonly string[] = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
): Issued {
  const file = (ending: string): string => path.join(directory, `${name}.${ending}`);
  const openssl = (...words: readonly string[]): void => void execFileSync("openssl", words, { stdio: "pipe" });
  openssl("genpkey", ...key, "-out", file("key"));
  openssl("req", "-new", "-key", file("key"), "-subj", `/C=US/ST=WA/O=Acme/CN=${name}`, "-out", file("csr"));
  writeFileSync(file("ext"), `${extensions.join("\n")}\n`);
  const by =
    issuer === undefined
      ? ["-signkey", file("key")]
      : ["-CA", path.join(directory, `${issuer.name}.crt`), "-CAkey", path.join(directory, `${issuer.name}.key`), "-CAcreateserial"];
  openssl("x509", "-req", "-in", file("csr"), ...by, "-days", "3650", "-extfile", file("ext"), "-out", file("crt"));
  const certificate = readFileSync(file("crt"), "utf8");
  const chain = certificate + (issuer?.chain ?? "");
  writeFileSync(file("chain"), chain);
  return { name, key: readFileSync(file("key"), "utf8"), certificate, chain };
}
