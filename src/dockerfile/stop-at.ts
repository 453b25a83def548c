/** A Dockerfile that ends before one of its lines: what a shell needs that is to stand there. */
import { SlipwayError } from "../base/errors.ts";
import type { Dockerfile, Instruction, RunInstruction, Stage } from "./instruction.ts";

export interface StoppedDockerfile {
  /** its last stage ends with a RUN that has the state before the line, and that nobody is to run */
  readonly dockerfile: Dockerfile;
  /** what stands at the line; undefined at the end of a stage */
  readonly instruction: Instruction | undefined;
}

/**
 * Stops before the first instruction that begins or goes on at the line, in the stages up to `target`: behind them all, at the target's end;
 * at a FROM, at the end of the stage above. Fails with NO_SUCH_LINE (invalid_argument) where nothing is before it.
 */
export function stopAtLine(dockerfile: Dockerfile, line: number, target: string | undefined): StoppedDockerfile {
  const named = target === undefined || target === "" ? -1 : dockerfile.stages.findLastIndex(({ name }) => name === target.toLowerCase());
  const stages = named < 0 ? dockerfile.stages : dockerfile.stages.slice(0, named + 1);
  const isAt = ({ lines }: Pick<Instruction, "lines">): boolean => lines.end >= line;
  const index = stages.findIndex(({ from, instructions }) => isAt(from) || instructions.some(isAt));
  const at = stages[index];
  const stage = at === undefined ? stages.at(-1) : isAt(at.from) ? stages[index - 1] : at;
  if (stage === undefined) throw new SlipwayError("invalid_argument", "NO_SUCH_LINE", `nothing is built before line ${line}`, { line, bare: true });
  const instruction = stage === at ? stage.instructions.find(isAt) : undefined;
  const before = instruction === undefined ? stage.instructions : stage.instructions.slice(0, stage.instructions.indexOf(instruction));
  const stopped: Stage = { ...stage, instructions: [...before, instruction?.type === "run" ? instruction : standIn(stage, instruction)] };
  return { dockerfile: { ...dockerfile, stages: [...stages.slice(0, stage.index), stopped] }, instruction };
}

/** A command in the place of what is none. */
function standIn({ from, instructions }: Stage, instruction: Instruction | undefined): RunInstruction {
  const { lines, code } = instruction ?? { lines: (instructions.at(-1) ?? from).lines, code: "RUN :" };
  return {
    type: "run",
    keyword: "RUN",
    code,
    lines,
    comments: [],
    command: { form: "shell", args: [":"], heredocs: [] },
    mounts: [],
    network: undefined,
    security: undefined,
    devices: [],
  };
}
