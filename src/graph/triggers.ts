import type { Instruction, LineRange } from "../dockerfile/instruction.ts";
import { parseTrigger } from "../dockerfile/parse.ts";

/** ONBUILD triggers as instructions, shown as `ONBUILD RUN …`; their place is the FROM that brought them. */
export function parseTriggers(expressions: readonly string[], lines: LineRange): readonly Instruction[] {
  return expressions.map((expression) => {
    const instruction = parseTrigger(expression);
    return { ...instruction, lines, code: `ONBUILD ${instruction.code}` };
  });
}
