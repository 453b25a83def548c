/** The image and the platform that a FROM names. Pure. */
import { goQuote } from "../base/go-text.ts";
import { SlipwayError } from "../base/errors.ts";
import type { FromInstruction, LineRange } from "../dockerfile/instruction.ts";
import { findSuggestion, withSuggestion } from "../dockerfile/suggest.ts";
import { expandWord } from "../dockerfile/word.ts";
import { normalizePlatform, parsePlatform, type Platform } from "../oci/platform.ts";
import { formatReference, parseReference, withDefaultTag } from "../oci/reference.ts";
import { expandAt } from "./global-args.ts";
import type { Variables } from "./variables.ts";

/** Fails with DOCKERFILE_PARSE, also when nothing is left of it. */
export function expandBaseName(escape: "\\" | "`", { image, lines }: FromInstruction, variables: Variables): string {
  const name = expandAt(escape, image, variables, lines);
  if (name !== "") return name;
  throw new SlipwayError("invalid_argument", "DOCKERFILE_PARSE", `base name (${image}) should not be blank`, { lines });
}

/** The image's full name. `isContext`: the command line names it, for a named context. Fails with DOCKERFILE_PARSE. */
export function completeImageName(name: string, lines: LineRange | undefined, isContext = false): string {
  try {
    return formatReference(withDefaultTag(parseReference(name)));
  } catch (error) {
    if (!(error instanceof SlipwayError)) throw error;
    const message = isContext ? error.message : `failed to parse stage name ${goQuote(name)}: ${error.message}`;
    throw new SlipwayError("invalid_argument", "DOCKERFILE_PARSE", message, { ...error.details, lines, imageName: name }, error);
  }
}

/** The value of FROM --platform. Fails with DOCKERFILE_PARSE or INVALID_PLATFORM, also when nothing is left of it. */
export function expandPlatform(escape: "\\" | "`", platform: string, variables: Variables, lines: LineRange): Platform {
  const text = expandAt(escape, platform, variables, lines, `failed to process arguments for platform ${platform}: `);
  if (text !== "") return platformFromText(text, lines);
  const { unmatched } = expandWord(platform, variables, { escape });
  const names = [...variables.keys()];
  const suggestion = unmatched.map((name) => findSuggestion(name, names)).find((name) => name !== undefined);
  const message = withSuggestion(`empty platform value from expression ${platform}`, suggestion);
  throw new SlipwayError("invalid_argument", "INVALID_PLATFORM", message, { platform, lines });
}

function platformFromText(text: string, lines: LineRange): Platform {
  try {
    return normalizePlatform(parsePlatform(text));
  } catch (error) {
    if (!(error instanceof SlipwayError)) throw error;
    throw new SlipwayError(error.kind, error.code, `failed to parse platform ${text}: ${error.message}`, { ...error.details, lines }, error);
  }
}
