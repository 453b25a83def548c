/** Mirrors first, the registry itself last: a mirror's failure is only told when the registry fails as well. */
import { SlipwayError, asSlipwayError } from "../base/errors.ts";
import type { Endpoint } from "./endpoint.ts";

export interface MirrorFailure {
  readonly host: string;
  readonly code: string;
  readonly message: string;
  readonly error: SlipwayError;
}

export function mirrorFailure(endpoint: Endpoint, error: unknown): MirrorFailure {
  const failure = asSlipwayError(error);
  return { host: endpoint.host, code: failure.code, message: failure.message, error: failure };
}

/** Failures of the network, which say nothing about the image. */
const unreached = new Set(["CONNECTION_REFUSED", "CONNECT_TIMEOUT", "HOST_NOT_FOUND", "HOST_UNREACHABLE", "NAME_RESOLUTION_FAILED", "RESPONSE_TIMEOUT"]);

/**
 * The registry's own error, with what the mirrors said before it under `details.mirrors`. Where the registry was not
 * reached but a mirror knows of no such image, that is what is told, as Docker does: behind a closed network the
 * mirror is all there is.
 */
export function withMirrorFailures(error: unknown, failures: readonly MirrorFailure[]): unknown {
  if (failures.length === 0 || !(error instanceof SlipwayError)) return error;
  const mirrors = failures.map(({ host, code, message }) => ({ host, code, message }));
  const absent = unreached.has(error.code) ? failures.find((failure) => failure.error.kind === "not_found")?.error : undefined;
  if (absent === undefined) return new SlipwayError(error.kind, error.code, error.message, { ...error.details, mirrors }, error.cause);
  return new SlipwayError("not_found", absent.code, `${absent.message} (asked only a mirror: ${error.message})`, { ...absent.details, mirrors }, error);
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
