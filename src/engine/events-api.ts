/** The library's words for what happens. */
import type { Filters } from "./api.ts";

export interface EventMessage {
  /** "container", "image", "network", "volume", "builder" */
  readonly type: string;
  readonly action: string;
  /** "" where it is about no thing in particular */
  readonly id: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** nanoseconds since 1970 */
  readonly timeNano: bigint;
}

export interface EventOptions {
  /** also what has happened since then, as long as it is kept; absent: what happens from now on */
  readonly sinceMs?: number;
  /** ends then; absent: never */
  readonly untilMs?: number;
  readonly filters?: Filters;
  readonly signal?: AbortSignal;
}
