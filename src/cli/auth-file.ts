import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { SlipwayError } from "../base/errors.ts";

/** The path of a file with credentials that was named. Fails with INPUT_FILE (invalid_argument) in podman's words where there is no such file. */
export function existingAuthFile(cwd: string, given: string): string {
  const file = resolve(cwd, given);
  if (existsSync(file)) return file;
  throw new SlipwayError("invalid_argument", "INPUT_FILE", `credential file is not accessible: ${given}: no such file or directory`, { file });
}
