import type { RunMount } from "./instruction.ts";

/** Parses one `--mount=` value (already word-expanded) of RUN. */
export function parseRunMount(value: string): RunMount {
  throw new Error(`not written yet ${value}`);
}
