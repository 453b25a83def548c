/** `-v` as a value. @see docker run --volume */
import { SlipwayError } from "../base/errors.ts";

export type VolumeSpec =
  | { readonly kind: "bind"; readonly source: string; readonly destination: string; readonly readOnly: boolean; readonly options: readonly string[] }
  | { readonly kind: "named"; readonly name: string; readonly destination: string; readonly readOnly: boolean; readonly options: readonly string[] }
  | { readonly kind: "anonymous"; readonly destination: string; readonly readOnly: boolean; readonly options: readonly string[] };

/** `workingDirectory` resolves "./x" and "." as Docker's command line does. */
export function parseVolume(text: string, workingDirectory: string): VolumeSpec {
  throw new SlipwayError("internal", "NOT_IMPLEMENTED", text + workingDirectory);
}
