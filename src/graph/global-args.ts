/** The ARGs before the first FROM, on top of the variables that every build has. Pure. */
import { SlipwayError } from "../base/errors.ts";
import type { LineRange } from "../dockerfile/instruction.ts";
import { expandWord } from "../dockerfile/word.ts";
import type { LowerOptions } from "./lowering.ts";
import { platformArgs, targetStageOf } from "./platform-args.ts";
import type { Variables } from "./variables.ts";

/** Build arguments win over defaults, also over the platform's variables. */
export function evaluateGlobals({ buildArgs, buildPlatform, targetPlatform, target, dockerfile }: LowerOptions): Variables {
  const variables = platformArgs(buildPlatform, targetPlatform, targetStageOf(dockerfile, target));
  for (const key of variables.keys()) {
    const given = buildArgs.get(key);
    if (given !== undefined) variables.set(key, given);
  }
  for (const instruction of dockerfile.metaArgs) {
    for (const { key, value } of instruction.args) {
      const fallback = (): string | undefined =>
        value === undefined ? variables.get(key) : expandAt(dockerfile.directives.escape, value, variables, instruction.lines);
      // a default that is not needed may be faulty
      const chosen = buildArgs.get(key) ?? fallback();
      if (chosen !== undefined) variables.set(key, chosen);
    }
  }
  return variables;
}

/** A word of FROM or of a global ARG. Fails with DOCKERFILE_PARSE, `prefix` in front. */
export function expandAt(escape: "\\" | "`", word: string, variables: Variables, lines: LineRange, prefix = ""): string {
  try {
    return expandWord(word, variables, { escape }).result;
  } catch (error) {
    if (!(error instanceof SlipwayError)) throw error;
    throw new SlipwayError("invalid_argument", "DOCKERFILE_PARSE", prefix + error.message, { ...error.details, lines }, error);
  }
}
