/** What a registry can be told to do wrong, and on which requests. */
import type { RefusalCode } from "../distribution/answer.ts";

export type Fault =
  /** an answer of the caller's choice; `code` and `message` make the specification's body */
  | {
      readonly type: "status";
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly code?: RefusalCode;
      readonly message?: string;
      readonly body?: string;
    }
  /** the right answer, later */
  | { readonly type: "delay"; readonly ms: number }
  /** no answer, or with `afterBytes` no further byte of the body, until client or server close */
  | { readonly type: "stall"; readonly afterBytes?: number }
  /** the connection ends: before the answer, or after this many bytes of the body */
  | { readonly type: "cut"; readonly afterBytes?: number }
  /** the connection ends when this many bytes of the request's body were received, and kept */
  | { readonly type: "cut-upload"; readonly afterBytes: number }
  /** the request is obeyed, but the connection ends before the answer */
  | { readonly type: "lose-answer" }
  /** one byte of the body is another */
  | { readonly type: "flip"; readonly at: number }
  /** the body ends early, the header tells its full length */
  | { readonly type: "truncate"; readonly to: number }
  /** the body goes on for ever, without Content-Length */
  | { readonly type: "endless" }
  /** Content-Length tells something else than is sent */
  | { readonly type: "lie"; readonly contentLength: number }
  /** other headers beside those of the right answer */
  | { readonly type: "headers"; readonly headers: Readonly<Record<string, string>> }
  /** to a second address of the same registry that asks for no login, as blob stores do; it is in the log as "storage" */
  | { readonly type: "redirect"; readonly status?: 301 | 302 | 303 | 307 | 308; readonly to?: string }
  /** the upload that the request speaks of is forgotten first */
  | { readonly type: "forget-upload" };

export interface FaultRule {
  readonly method?: string | readonly string[];
  /** a string is a part of the path, without the query */
  readonly path?: string | RegExp;
  /** only the nth of the requests that match, from 1 */
  readonly nth?: number;
  /** only the first so many of them */
  readonly times?: number;
  readonly fault: Fault;
}

/** Ready-made answers that real registries give. */
export const faults = {
  unauthorized: { type: "status", status: 401, code: "UNAUTHORIZED", message: "authentication required" },
  denied: { type: "status", status: 403, code: "DENIED", message: "requested access to the resource is denied" },
  unavailable: { type: "status", status: 503, code: "UNKNOWN", message: "service unavailable" },
  quotaExceeded: { type: "status", status: 403, code: "DENIED", message: "quota exceeded: the project's storage is full" },
  methodNotAllowed: { type: "status", status: 405, code: "UNSUPPORTED", message: "The operation is unsupported." },
  rateLimited: {
    type: "status",
    status: 429,
    code: "TOOMANYREQUESTS",
    message: "You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit",
    headers: { "ratelimit-limit": "100;w=21600", "ratelimit-remaining": "0;w=21600", "docker-ratelimit-source": "127.0.0.1", "retry-after": "1" },
  },
} as const satisfies Readonly<Record<string, Fault>>;

/** Counts what each rule has matched and says which faults a request meets, in the rules' order. */
export function createFaultRules(initial: readonly FaultRule[]) {
  let rules: { readonly rule: FaultRule; matched: number }[] = initial.map((rule) => ({ rule, matched: 0 }));

  function matches({ method, path }: FaultRule, asked: { readonly method: string; readonly path: string }): boolean {
    const methods = method === undefined ? undefined : [method].flat();
    if (methods !== undefined && !methods.includes(asked.method)) return false;
    return path === undefined || (typeof path === "string" ? asked.path.includes(path) : path.test(asked.path));
  }

  return {
    add: (rule: FaultRule): void => void rules.push({ rule, matched: 0 }),
    clear: (): void => void (rules = []),
    of(asked: { readonly method: string; readonly path: string }): readonly Fault[] {
      return rules.flatMap((one) => {
        if (!matches(one.rule, asked)) return [];
        one.matched++;
        const { nth, times, fault } = one.rule;
        return (nth === undefined || one.matched === nth) && (times === undefined || one.matched <= times) ? [fault] : [];
      });
    },
  };
}
