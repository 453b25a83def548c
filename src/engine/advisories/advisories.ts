/** The calls about the database of advisories, on the store and a registry. */
import { closeSync, openSync, readSync } from "node:fs";
import { resolve } from "node:path";
import { SlipwayError } from "../../base/errors.ts";
import type { Digest } from "../../oci/digest.ts";
import type { RegistryClient } from "../../registry/index.ts";
import type { Store } from "../../store/index.ts";
import type { AdvisoryApi, AdvisorySigners, AdvisoryStatus } from "../advisory-api.ts";
import { exportDatabase, importExported, isExported, pullDatabase, pushDatabase } from "./carry-database.ts";
import { importAdvisories } from "./import-advisories.ts";
import { statusOf } from "./status.ts";
import { unreadableInput } from "../input-file.ts";

/** Of a directory nothing. Fails with INPUT_FILE (invalid_argument). */
function headOf(path: string): Buffer {
  const head = Buffer.alloc(64);
  try {
    const fd = openSync(path, "r");
    try {
      return head.subarray(0, readSync(fd, head, 0, head.length, 0));
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EISDIR") return Buffer.alloc(0);
    throw unreadableInput(path, error);
  }
}

export async function importPaths(store: Store, paths: readonly string[], options: Parameters<AdvisoryApi["import"]>[1] = {}): Promise<AdvisoryStatus> {
  const { add = false, cwd = process.cwd(), nowMs = Date.now(), signal } = options;
  const files = paths.map((path) => resolve(cwd, path));
  const exported = files.filter((path) => isExported(headOf(path)));
  if (exported.length > 0 && (files.length > 1 || add)) {
    throw new SlipwayError("invalid_argument", "USAGE", "an exported database takes the place of what is here: import it alone");
  }
  const [whole] = exported;
  const index =
    whole === undefined
      ? await importAdvisories(store, files, { add, nowMs, ...(signal === undefined ? {} : { signal }) })
      : await importExported(store, whole);
  return statusOf(store, index);
}

type Carry = { readonly client: RegistryClient; readonly signal?: AbortSignal };

/** With signers only what one of them signed comes: what was verified is what is fetched. Fails as verify. */
export async function pull(store: Store, reference: string | undefined, carry: Carry, signers?: AdvisorySigners): Promise<AdvisoryStatus> {
  const name = reference ?? store.advisories.origin();
  if (name === undefined) {
    throw new SlipwayError("invalid_argument", "USAGE", "no reference to pull advisories from: it was never pulled before", {
      remedy: "slipway db pull REFERENCE",
    });
  }
  const plain = name.replace(/^docker:\/\//, "");
  const digest = signers === undefined ? undefined : await verifiedDigest(store, plain, carry, signers);
  return statusOf(store, await pullDatabase(store, plain, { ...carry, digest }));
}

async function verifiedDigest(store: Store, name: string, { client, signal }: Carry, signers: AdvisorySigners): Promise<Digest> {
  const { verify } = await import("../signing/verify.ts");
  const { digest } = await verify({ store, client: async () => client }, name, { ...signers, ...(signal === undefined ? {} : { signal }) });
  return digest;
}

export async function push(store: Store, reference: string, carry: Carry): ReturnType<AdvisoryApi["push"]> {
  const pushed = await pushDatabase(store, reference.replace(/^docker:\/\//, ""), carry);
  return { reference: pushed.reference, digest: pushed.descriptor.digest };
}

export { exportDatabase };
