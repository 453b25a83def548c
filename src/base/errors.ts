/**
 * The one error class of the project. `kind` says what the caller should do about it, `code` what happened
 * (each code has its entry in docs/errors.md), `details` carries the numbers and names as data.
 * HTTP status, gRPC code and exit code are derived from the kind and from nothing else.
 */
export type ErrorKind =
  | "invalid_argument"
  | "not_found"
  | "already_exists"
  | "conflict"
  | "denied"
  | "unauthenticated"
  | "unavailable"
  | "resource_exhausted"
  | "canceled"
  | "deadline_exceeded"
  | "data_loss"
  | "failed_precondition"
  | "unsupported"
  | "internal";

export type ErrorDetails = Readonly<Record<string, unknown>>;

export class SlipwayError extends Error {
  readonly kind: ErrorKind;
  readonly code: string;
  readonly details: ErrorDetails;

  constructor(kind: ErrorKind, code: string, message: string, details: ErrorDetails = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "SlipwayError";
    this.kind = kind;
    this.code = code;
    this.details = details;
  }
}

export function isSlipwayError(error: unknown, code?: string): error is SlipwayError {
  return error instanceof SlipwayError && (code === undefined || error.code === code);
}

/** The errno name ("ENOENT", …) of a failed system call, or undefined when the error is not one. */
export function errnoOf(error: unknown): string | undefined {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  return undefined;
}

/** Wraps what was thrown by foreign code; errors of our own pass through unchanged. */
export function asSlipwayError(error: unknown, kind: ErrorKind = "internal", code = "INTERNAL"): SlipwayError {
  if (error instanceof SlipwayError) return error;
  const errno = errnoOf(error);
  const message = error instanceof Error ? error.message : String(error);
  if (errno === "ENOSPC" || errno === "EDQUOT") {
    return new SlipwayError("resource_exhausted", "NO_SPACE", `no space left on device: ${message}`, { errno }, error);
  }
  if (errno === "EROFS") {
    return new SlipwayError("failed_precondition", "READ_ONLY", `read-only file system: ${message}`, { errno }, error);
  }
  if (errno === "EACCES" || errno === "EPERM") {
    return new SlipwayError("denied", "PERMISSION_DENIED", `permission denied: ${message}`, { errno }, error);
  }
  if (errno === "ABORT_ERR" || (error instanceof Error && error.name === "AbortError")) {
    return new SlipwayError("canceled", "CANCELED", "canceled", {}, error);
  }
  return new SlipwayError(kind, code, message, errno === undefined ? {} : { errno }, error);
}
