/** Who certifies, logs and stamps what is signed for an identity. Published types have these, and none of sigstore's library. */

export interface LogService {
  readonly url: string;
  /** of Rekor: the first promises and tells the time, the second proves */
  readonly version: 1 | 2;
}

export interface KeylessServices {
  readonly fulcioUrl: string;
  /** each gets an entry */
  readonly logs: readonly LogService[];
  /** each stamps the time, besides the logs */
  readonly timestampUrls: readonly string[];
}

export const publicServices = { fulcioUrl: "https://fulcio.sigstore.dev", rekorUrl: "https://rekor.sigstore.dev" } as const;
