/** `key generate` and `key import`: pairs of files, `NAME.key` under a password and `NAME.pub`. */
import { createPublicKey, type KeyObject } from "node:crypto";
import { link, open, rename, rm, stat } from "node:fs/promises";
import { SlipwayError, errnoOf } from "../../base/errors.ts";
import { formatPublicKey, generatePrivateKey, keyFingerprint, readPrivateKey, sealPrivateKey, type AskPassword, type KeyType } from "../../trust/keys/index.ts";

import type { PrivateKeySource } from "../trust-api.ts";

export { keyTypes, type KeyType } from "../../trust/keys/index.ts";

export interface WriteKeyOptions {
  /** `NAME`: the files are NAME.key and NAME.pub */
  readonly output: string;
  /** the new file's; asked when all else is known to be well */
  readonly password: AskPassword;
  /** replaces files that are there */
  readonly force?: boolean;
}

export interface WrittenKey {
  readonly privatePath: string;
  readonly publicPath: string;
  readonly publicKey: string;
  /** SHA-256 over the public key, as hex */
  readonly fingerprint: string;
}

/** Fails with KEY_EXISTS (already_exists) and OUTPUT_FILE (invalid_argument). */
export async function generateKey(options: WriteKeyOptions & { readonly type?: KeyType }): Promise<WrittenKey> {
  await refuseExisting(options);
  return await writeKey(await generatePrivateKey(options.type ?? "ecdsa-p256"), options);
}

/** From PKCS#8, traditional PEM or cosign's form. Fails as generateKey, and with the codes of readPrivateKey. */
export async function importKey(text: string, what: string, sourcePassword: AskPassword, options: WriteKeyOptions): Promise<WrittenKey> {
  await refuseExisting(options);
  const { privateKey } = await readPrivateKey(text, what, sourcePassword);
  return await writeKey(privateKey, options);
}

/** Fails as an opening for a signature would, and keeps nothing. */
export async function checkPrivateKey({ pem, name = "the key", password }: PrivateKeySource): Promise<void> {
  await readPrivateKey(pem, name, password ?? (() => Promise.resolve(new Uint8Array())));
}

function pathsOf(output: string): { readonly privatePath: string; readonly publicPath: string } {
  return { privatePath: `${output}.key`, publicPath: `${output}.pub` };
}

async function refuseExisting({ output, force = false }: WriteKeyOptions): Promise<void> {
  if (force) return;
  for (const path of Object.values(pathsOf(output))) {
    if (await stat(path).catch(() => undefined)) throw exists(path);
  }
}

function exists(path: string, cause?: unknown): SlipwayError {
  return new SlipwayError(
    "already_exists",
    "KEY_EXISTS",
    `${path} is there already`,
    { path, bare: true, remedy: "--force replaces it; what it signed can then be verified by its old public key only." },
    cause,
  );
}

async function writeKey(privateKey: KeyObject, options: WriteKeyOptions): Promise<WrittenKey> {
  const { output, password, force = false } = options;
  const sealed = await sealPrivateKey(privateKey.export({ type: "pkcs8", format: "der" }), await password());
  const publicKeyObject = createPublicKey(privateKey);
  const publicKey = formatPublicKey(publicKeyObject);
  const paths = pathsOf(output);
  await writeWhole(paths.privatePath, sealed, 0o600, force);
  try {
    await writeWhole(paths.publicPath, publicKey, 0o644, force);
  } catch (error) {
    if (!force) await rm(paths.privatePath, { force: true });
    throw error;
  }
  return { ...paths, publicKey, fingerprint: keyFingerprint(publicKeyObject).toString("hex") };
}

/** Without the name of the draft, which is nobody's business. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return errnoOf(error) === undefined ? message : message.replace(/^[A-Z0-9]+: /u, "").replace(/, \w+ '.*$/u, "");
}

/** The file appears whole or not at all; without `force` never in the place of another one, whoever wrote that meanwhile. */
async function writeWhole(path: string, text: string, mode: number, force: boolean): Promise<void> {
  const draft = `${path}.slipway-${process.pid}`;
  try {
    const file = await open(draft, "wx", mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await (force ? rename(draft, path) : link(draft, path));
  } catch (error) {
    if (errnoOf(error) === "EEXIST") throw exists(path, error);
    throw new SlipwayError("invalid_argument", "OUTPUT_FILE", `cannot write ${path}: ${reasonOf(error)}`, { path, bare: true }, error);
  } finally {
    await rm(draft, { force: true });
  }
}
