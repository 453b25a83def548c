/** `ARG BUILDKIT_SBOM_SCAN_STAGE` and `…_CONTEXT`: what is looked into besides the result. They are no variables of commands and words. */
import { booleanFromText } from "../base/go-text.ts";
import type { Variables } from "./variables.ts";

export const scanArgs = { context: "BUILDKIT_SBOM_SCAN_CONTEXT", stage: "BUILDKIT_SBOM_SCAN_STAGE" } as const;

export function isScanArg(name: string): boolean {
  return name === scanArgs.context || name === scanArgs.stage;
}

/** What the stage declares goes before what stands above all stages: Go's words for booleans, or names of stages. */
export function isScanned(what: keyof typeof scanArgs, stage: string, declared: Variables, globals: Variables): boolean {
  const value = declared.get(scanArgs[what]) ?? globals.get(scanArgs[what]);
  return value !== undefined && (booleanFromText(value) ?? value.split(",").includes(stage));
}
