import type { Dockerfile } from "./instruction.ts";

export interface ParseOptions {
  /** name for error details; default "Dockerfile" */
  readonly fileName?: string;
}

export function parseDockerfile(text: string | Uint8Array, options?: ParseOptions): Dockerfile {
  throw new Error(`not written yet ${text.length} ${options?.fileName}`);
}
