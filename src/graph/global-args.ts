/** The ARGs before the first FROM, on top of the variables that every build has. Pure. */
import { SlipwayError } from "../base/errors.ts";
import type { FromInstruction, LineRange } from "../dockerfile/instruction.ts";
import { findSuggestion, withSuggestion } from "../dockerfile/suggest.ts";
import { expandWord } from "../dockerfile/word.ts";
import type { LowerOptions } from "./lowering.ts";
import { platformArgs } from "./platform-args.ts";
import { getVariable, setVariable, variableMap, type Variables } from "./variables.ts";

/** Build arguments win over defaults, also over the platform's variables. */
export function evaluateGlobals({ buildArgs, buildPlatform, targetPlatform, target, dockerfile }: LowerOptions): Variables {
  let variables = platformArgs(buildPlatform, targetPlatform, target ?? "");
  for (const { key } of variables) {
    const given = buildArgs.get(key);
    if (given !== undefined) variables = setVariable(variables, key, given);
  }
  for (const instruction of dockerfile.metaArgs) {
    for (const { key, value } of instruction.args) {
      const fallback = value === undefined ? getVariable(variables, key) : expandGlobal(dockerfile.directives.escape, value, variables, instruction.lines);
      const chosen = buildArgs.get(key) ?? fallback;
      if (chosen !== undefined) variables = setVariable(variables, key, chosen);
    }
  }
  return variables;
}

/** A word of FROM or of a global ARG. Fails with DOCKERFILE_PARSE. */
export function expandGlobal(escape: "\\" | "`", word: string, variables: Variables, lines: LineRange): string {
  try {
    return expandWord(word, variableMap(variables), { escape }).result;
  } catch (error) {
    if (!(error instanceof SlipwayError)) throw error;
    const message = `failed to process arguments for platform ${word}: ${error.message}`;
    throw new SlipwayError("invalid_argument", "DOCKERFILE_PARSE", message, { ...error.details, lines }, error);
  }
}

/** Fails with DOCKERFILE_PARSE, also when nothing is left of it. */
export function expandBaseName(escape: "\\" | "`", { image, lines }: FromInstruction, variables: Variables): string {
  const name = expandGlobal(escape, image, variables, lines);
  if (name !== "") return name;
  throw new SlipwayError("invalid_argument", "DOCKERFILE_PARSE", `base name (${image}) should not be blank`, { lines });
}

/** Fails with DOCKERFILE_PARSE or, when nothing is left of it, INVALID_PLATFORM. */
export function expandPlatform(escape: "\\" | "`", platform: string, variables: Variables, lines: LineRange): string {
  const text = expandGlobal(escape, platform, variables, lines);
  if (text !== "") return text;
  const { unmatched } = expandWord(platform, variableMap(variables), { escape });
  const names = variables.map(({ key }) => key);
  const suggestion = unmatched.map((name) => findSuggestion(name, names)).find((name) => name !== undefined);
  const message = withSuggestion(`empty platform value from expression ${platform}`, suggestion);
  throw new SlipwayError("invalid_argument", "INVALID_PLATFORM", message, { platform, lines });
}
