/** Requests and answers of the registry, apart from any HTTP library; refusals have the specification's body. */

export interface DistributionRequest {
  readonly method: string;
  /** as sent, without the query */
  readonly path: string;
  readonly query: URLSearchParams;
  /** names in lower case */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: AsyncIterable<Uint8Array>;
  /** scheme and host by which the client came: "http://127.0.0.1:5000" */
  readonly origin: string;
}

export type Headers = Readonly<Record<string, string>>;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** not sent in answer to HEAD */
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
}

export type Respond = (request: DistributionRequest) => Promise<Answer>;

/** The specification's codes, and those of distribution that it does not name. @see distribution-spec, "Error Codes" */
export type RefusalCode =
  | "BLOB_UNKNOWN"
  | "BLOB_UPLOAD_INVALID"
  | "BLOB_UPLOAD_UNKNOWN"
  | "DIGEST_INVALID"
  | "MANIFEST_BLOB_UNKNOWN"
  | "MANIFEST_INVALID"
  | "MANIFEST_UNKNOWN"
  | "NAME_INVALID"
  | "NAME_UNKNOWN"
  | "SIZE_INVALID"
  | "UNAUTHORIZED"
  | "DENIED"
  | "UNSUPPORTED"
  | "TOOMANYREQUESTS"
  | "TAG_INVALID"
  | "PAGINATION_NUMBER_INVALID"
  | "RANGE_INVALID"
  | "UNKNOWN";

export function json(status: number, value: unknown, headers: Headers = {}): Answer {
  const body = Buffer.from(JSON.stringify(value));
  return { status, headers: { "content-type": "application/json", "content-length": String(body.length), ...headers }, body };
}

export function refuse(status: number, code: RefusalCode, message: string, detail?: unknown, headers: Headers = {}): Answer {
  return json(status, { errors: [{ code, message, ...(detail === undefined ? {} : { detail }) }] }, headers);
}

export function empty(status: number, headers: Headers = {}): Answer {
  return { status, headers: { "content-length": "0", ...headers } };
}
