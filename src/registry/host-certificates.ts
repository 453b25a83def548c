/**
 * Certificates of one registry, as Docker and the containers tools keep them: DIR/<host[:port]>/ with `*.crt` as
 * authorities and `NAME.cert` + `NAME.key` as the client's own. @see docker docs, "Verify repository client with certificates"
 */
import { SlipwayError } from "../base/errors.ts";
import type { ConfigFiles } from "./config-files.ts";

export interface HostCertificates {
  readonly authorities: readonly string[];
  readonly client?: { readonly cert: string; readonly key: string };
}

/** Files that a configuration names for one host. */
export interface CertificatePaths {
  readonly authorities: readonly string[];
  /** a file with both has itself as its key */
  readonly client?: { readonly cert: string; readonly key: string };
}

function readNamed(path: string, files: ConfigFiles): string {
  const text = files.readText(path);
  if (text === undefined) throw new SlipwayError("failed_precondition", "CERTIFICATE_FILE", `certificate file ${path} cannot be read`, { path });
  return text;
}

/** What the paths hold. Fails with CERTIFICATE_FILE (failed_precondition) where one cannot be read. */
export function readCertificatePaths({ authorities, client }: CertificatePaths, files: ConfigFiles): HostCertificates {
  const read = authorities.map((path) => readNamed(path, files));
  return client === undefined
    ? { authorities: read }
    : { authorities: read, client: { cert: readNamed(client.cert, files), key: readNamed(client.key, files) } };
}

function readClient(dir: string, names: readonly string[], files: ConfigFiles): HostCertificates["client"] {
  const name = names.find((file) => file.endsWith(".cert"));
  if (name === undefined) return undefined;
  const keyName = name.replace(/\.cert$/, ".key");
  const cert = files.readText(`${dir}/${name}`);
  const key = files.readText(`${dir}/${keyName}`);
  if (cert !== undefined && key !== undefined) return { cert, key };
  // Docker's words for the same trap
  throw new SlipwayError(
    "failed_precondition",
    "CLIENT_KEY_MISSING",
    `missing key ${keyName} for client certificate ${name}. CA certificates must use the extension .crt`,
    {
      path: `${dir}/${name}`,
    },
  );
}

/**
 * The first of `dirs` that knows the host counts; undefined where none does.
 * Fails with CLIENT_KEY_MISSING (failed_precondition).
 */
export function readHostCertificates(host: string, dirs: readonly string[], files: ConfigFiles): HostCertificates | undefined {
  if (host.includes("/") || host.startsWith(".")) return undefined;
  for (const parent of dirs) {
    const found = readCertificateDirectory(`${parent}/${host}`, files);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Undefined where it is empty or not there. Fails with CLIENT_KEY_MISSING (failed_precondition). */
export function readCertificateDirectory(directory: string, files: ConfigFiles): HostCertificates | undefined {
  const names = files.list(directory);
  if (names.length === 0) return undefined;
  const client = readClient(directory, names, files);
  const authorities = names.filter((name) => name.endsWith(".crt")).flatMap((name) => files.readText(`${directory}/${name}`) ?? []);
  return client === undefined ? { authorities } : { authorities, client };
}
