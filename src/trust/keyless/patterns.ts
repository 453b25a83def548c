/** Patterns for identities, as they are typed. Both fail with USAGE (invalid_argument) where the text is no pattern. */
import { SlipwayError } from "../../base/errors.ts";

/** A pattern for the whole text. */
export function anchored(pattern: string): RegExp {
  return compiled(pattern, `^(?:${pattern})$`);
}

/** A pattern for a part of the text, as cosign's are. */
export function matching(pattern: string): RegExp {
  return compiled(pattern, pattern);
}

function compiled(pattern: string, whole: string): RegExp {
  try {
    return new RegExp(whole, "u");
  } catch (error) {
    throw new SlipwayError(
      "invalid_argument",
      "USAGE",
      `invalid pattern ${JSON.stringify(pattern)}: ${error instanceof Error ? error.message : ""}`,
      {},
      error,
    );
  }
}
