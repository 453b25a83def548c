/** How a mirror's failures are told to its clients, and how it notices that it asks itself. */
import { refuse, type Answer, type Respond } from "../../distribution/answer.ts";
import { isSlipwayError, type ErrorKind } from "../../base/errors.ts";

/** Sent with every request to the other registry. */
export function viaHeader(id: string): string {
  return `1.1 slipway-${id}`;
}

function failure(kind: ErrorKind, message: string): Answer {
  if (kind === "denied" || kind === "unauthenticated") return refuse(403, "DENIED", message);
  return kind === "resource_exhausted" ? refuse(429, "TOOMANYREQUESTS", message) : refuse(502, "UNKNOWN", message);
}

/** What the other registry refused is refused in its words; what it failed at is 502. */
export function asMirror(respond: Respond, upstream: string, id: string): Respond {
  return async (request): Promise<Answer> => {
    const via = request.headers["via"] ?? "";
    if (via.split(",").some((hop) => hop.trim() === viaHeader(id))) {
      return refuse(508, "UNKNOWN", `the mirror of ${upstream} is asked by itself: it must not be among the mirrors of the machine that it runs on`);
    }
    try {
      return await respond(request);
    } catch (error) {
      if (!isSlipwayError(error)) throw error;
      return failure(error.kind, `${upstream}: ${error.message}`);
    }
  };
}
