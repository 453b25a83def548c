/** The library's calls about the database of advisories. */
import type { Digest } from "../oci/digest.ts";
import type { VerifyOptions } from "./trust-api.ts";

export interface AdvisoryStatus {
  /** what the database is known by, wherever it lies: the same on every machine that has it */
  readonly digest: Digest;
  /** when the newest of it was imported */
  readonly createdSeconds: number;
  readonly ecosystems: readonly { readonly name: string; readonly packages: number; readonly advisories: number; readonly sizeBytes: number }[];
  readonly sources: readonly AdvisorySource[];
  /** how many vulnerabilities are known to be exploited */
  readonly exploited: number;
  /** the reference that it was pulled from last */
  readonly pulledFrom: string | undefined;
}

export interface AdvisorySource {
  readonly name: string;
  readonly digest: Digest;
  /** none: it is the list of what is exploited */
  readonly ecosystems: readonly string[];
  /** YYYY-MM-DD of the record that was changed last, of sources whose records say it */
  readonly newest: string | undefined;
  /** of the others the last year in a name, as CVE-2026-1 */
  readonly newestYear: number | undefined;
  /** by an import with `add` */
  readonly isAdded: boolean;
  /** undefined in databases of earlier versions */
  readonly importedSeconds: number | undefined;
}

/** Whose advisories are taken. */
export type AdvisorySigners = Pick<VerifyOptions, "keys" | "identities" | "trustedRoot">;

export interface AdvisoryApi {
  /** undefined where nothing was ever imported */
  status(): Promise<AdvisoryStatus | undefined>;
  /**
   * OSV records (zip, JSON lines, directories), Debian's tracker, Alpine's secdb, CISA's list of what is exploited, compressed or not, or one file that
   * `export` gave. What they bring replaces what was there of the same ecosystems; with `add` it is added.
   * Fails with INPUT_FILE, NO_ADVISORIES, INVALID_DOCUMENT (invalid_argument), ADVISORIES_DAMAGED (data_loss).
   */
  import(
    paths: readonly string[],
    options?: { readonly add?: boolean; readonly cwd?: string; readonly nowMs?: number; readonly signal?: AbortSignal },
  ): Promise<AdvisoryStatus>;
  /** All of it as a tar archive; the same database gives the same bytes. Fails with NO_DATABASE (failed_precondition). */
  export(): AsyncIterable<Uint8Array>;
  /** All of it as an artifact of a registry. */
  push(reference: string, options?: { readonly signal?: AbortSignal }): Promise<{ readonly reference: string; readonly digest: Digest }>;
  /**
   * Takes the place of what is here; only what is not here comes. Without a reference, from where it came last. With `signers` only what one of them
   * signed: else fails as verify, and nothing changes.
   */
  pull(reference?: string, options?: { readonly signers?: AdvisorySigners; readonly signal?: AbortSignal }): Promise<AdvisoryStatus>;
}
