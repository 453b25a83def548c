/** `import --change` and `commit --change`: Dockerfile lines that alter an image's config and nothing else. */
import { SlipwayError, asSlipwayError } from "../../base/errors.ts";
import type { ContainerConfig } from "../../oci/image-config.ts";
import type { Instruction, OnbuildInstruction, Stage } from "../../dockerfile/instruction.ts";
import { parseDockerfile } from "../../dockerfile/parse.ts";
import { hostPlatform } from "../../oci/platform.ts";
import { lowerCmd, lowerEntrypoint, lowerEnv, lowerExpose, lowerHealthcheck, lowerLabel, lowerStopsignal, lowerVolume } from "../../graph/lower-config.ts";
import { StageState } from "../../graph/stage-state.ts";
import { posix } from "node:path";

/** Words are expanded with the image's own ENV, as Docker does. Fails with INVALID_CHANGE in Docker's words. */
export function applyChanges(config: ContainerConfig, changes: readonly string[]): ContainerConfig {
  const text = changes.join("\n").trim();
  if (changes.length === 0) return config;
  if (text === "") throw new SlipwayError("invalid_argument", "INVALID_CHANGE", "file with no instructions");
  const stage = parseChanges(text);
  const state = new StageState(
    { stage, platform: hostPlatform(), escape: "\\", displayName: "", showPlatform: false, ignoreCache: false, contextId: "" },
    { root: undefined, config, author: undefined, history: [], chain: [], platform: hostPlatform() },
  );
  try {
    for (const instruction of stage.instructions) applyChange(state, instruction);
  } catch (error) {
    throw invalidChange(error);
  }
  // Docker sets it for Windows only.
  const { ArgsEscaped: _, ...changed } = state.finishedConfig();
  return config.ArgsEscaped === undefined ? changed : { ...changed, ArgsEscaped: config.ArgsEscaped };
}

/** The lines stand in a stage of their own, for the parser's sake. */
function parseChanges(text: string): Stage {
  let parsed;
  try {
    parsed = parseDockerfile(`FROM scratch\n${text}`);
  } catch (error) {
    const unknown = /unknown instruction: (\S+)/.exec(asSlipwayError(error).message)?.[1];
    throw unknown === undefined ? invalidChange(error) : notAChange(unknown);
  }
  const [stage, ...others] = parsed.stages;
  if (stage === undefined || others.length > 0) throw notAChange("FROM");
  return stage;
}

function notAChange(keyword: string): SlipwayError {
  return new SlipwayError("invalid_argument", "INVALID_CHANGE", `${keyword.toUpperCase()} is not a valid change command`, { keyword });
}

/** Lines of a file that nobody wrote mean nothing to the reader. */
function invalidChange(error: unknown): SlipwayError {
  const failure = asSlipwayError(error);
  if (failure.code === "INVALID_CHANGE") return failure;
  const { lines: _, fileName: __, ...details } = failure.details as Readonly<Record<string, unknown>>;
  return new SlipwayError("invalid_argument", "INVALID_CHANGE", failure.message.replace(/^dockerfile parse error on line \d+: /, ""), details, failure);
}

function applyChange(state: StageState, instruction: Instruction): void {
  switch (instruction.type) {
    case "cmd":
      return lowerCmd(state, instruction.command);
    case "entrypoint":
      return lowerEntrypoint(state, instruction.command);
    case "env":
      return lowerEnv(state, instruction);
    case "expose":
      return lowerExpose(state, instruction);
    case "healthcheck":
      return lowerHealthcheck(state, instruction);
    case "label":
      return lowerLabel(state, instruction);
    case "onbuild":
      return addTrigger(state, instruction);
    case "stopsignal":
      return lowerStopsignal(state, instruction);
    case "user":
      state.config.User = state.expand(instruction.user, instruction.lines);
      return;
    case "volume":
      return lowerVolume(state, instruction);
    case "workdir":
      state.config.WorkingDir = posix.resolve("/", state.workdir, state.expand(instruction.path, instruction.lines));
      return;
    default:
      throw notAChange(instruction.type);
  }
}

function addTrigger(state: StageState, { expression }: OnbuildInstruction): void {
  state.config.OnBuild = [...(state.config.OnBuild ?? []), expression];
}
