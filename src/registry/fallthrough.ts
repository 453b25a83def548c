/** Mirrors first, the registry itself last: a mirror's failure is only told when the registry fails as well. */
import { SlipwayError, asSlipwayError } from "../base/errors.ts";
import type { Endpoint } from "./endpoint.ts";

export interface MirrorFailure {
  readonly host: string;
  readonly code: string;
  readonly message: string;
}

/** The last error, with what the mirrors said before it under `details.mirrors`. */
export function withMirrorFailures(error: unknown, mirrors: readonly MirrorFailure[]): unknown {
  if (mirrors.length === 0 || !(error instanceof SlipwayError)) return error;
  return new SlipwayError(error.kind, error.code, error.message, { ...error.details, mirrors }, error.cause);
}

export function mirrorFailure(endpoint: Endpoint, error: unknown): MirrorFailure {
  const { code, message } = asSlipwayError(error);
  return { host: endpoint.host, code, message };
}

/**
 * Runs `work` at one endpoint after the other until it succeeds. Fails with the last one's error, or at once when
 * `signal` aborts.
 */
export async function firstThatWorks<T>(endpoints: readonly Endpoint[], signal: AbortSignal | undefined, work: (endpoint: Endpoint) => Promise<T>): Promise<T> {
  const failures: MirrorFailure[] = [];
  for (const endpoint of endpoints) {
    try {
      return await work(endpoint);
    } catch (error) {
      if (signal?.aborted === true || endpoint === endpoints.at(-1)) throw withMirrorFailures(error, failures);
      failures.push(mirrorFailure(endpoint, error));
    }
  }
  throw new SlipwayError("internal", "NO_ENDPOINT", "no endpoint to ask");
}
