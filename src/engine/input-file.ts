/** Files that callers name and that cannot be read. */
import { errnoOf, SlipwayError } from "../base/errors.ts";

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  EISDIR: "is a directory",
  ENOTDIR: "not a directory",
};

/** "open x: no such file or directory", as Go's os package puts it; INPUT_FILE (invalid_argument). `word`: as it was named. */
export function unreadableInput(word: string, error: unknown): SlipwayError {
  const reason = reasons[errnoOf(error) ?? ""] ?? (error instanceof Error ? error.message : String(error));
  return new SlipwayError("invalid_argument", "INPUT_FILE", `open ${word}: ${reason}`, { path: word }, error);
}
