/** Checks of names and casing, and of FROM with the variables that hold before the first stage. */
import { expandOrStop, tryExpand, UnexpandableWord, type CheckContext } from "./check-context.ts";
import { isImageName } from "./image-name.ts";
import type { FromInstruction, Instruction } from "./instruction.ts";

const reservedStageNames = new Set(["context", "scratch"]);

export function checkDescriptions({ dockerfile, report }: CheckContext): void {
  const described = (instruction: "ARG" | "FROM", names: readonly string[], { comments, lines }: Instruction | FromInstruction) => {
    const comment = comments.at(-1);
    if (comment === undefined || names.length === 0 || names.includes(comment.split(" ", 1)[0] ?? "")) return;
    report("InvalidDefinitionDescription", lines, instruction, names.length > 1 ? "<arg_key>" : (names[0] ?? ""));
  };
  const instructions = [...dockerfile.metaArgs, ...dockerfile.stages.flatMap(({ from, instructions: all }) => [from, ...all])];
  for (const instruction of instructions) {
    if (instruction.type === "arg")
      described(
        "ARG",
        instruction.args.map(({ key }) => key),
        instruction,
      );
    if (instruction.type === "from" && instruction.as !== undefined) described("FROM", [instruction.as], instruction);
  }
}

export function checkStageNames({ dockerfile, report }: CheckContext): void {
  const seen = new Set<string>();
  for (const { name, from } of dockerfile.stages) {
    if (name === undefined) continue;
    if (reservedStageNames.has(name)) report("ReservedStageName", from.lines, name);
    if (seen.has(name)) report("DuplicateStageName", from.lines, name);
    seen.add(name);
  }
}

/** The majority decides between lower and upper case; on a tie it is upper case. */
export function checkKeywordCasing({ dockerfile, report }: CheckContext): void {
  const instructions = dockerfile.stages.flatMap(({ from, instructions: all }) => [from, ...all]);
  const keywords = instructions.map(({ keyword }) => keyword);
  const lower = keywords.filter((keyword) => keyword === keyword.toLowerCase()).length;
  const upper = keywords.filter((keyword) => keyword === keyword.toUpperCase()).length;
  const [casing, wanted] =
    lower > upper ? (["lowercase", (text: string) => text.toLowerCase()] as const) : (["uppercase", (text: string) => text.toUpperCase()] as const);
  for (const { keyword, lines } of instructions) {
    if (keyword !== wanted(keyword)) report("ConsistentInstructionCasing", lines, keyword, casing);
  }
}

/** The ARGs before the first FROM, on top of the platform's. Without `buildArgs`: as if none were given. */
export function globalVariables(context: CheckContext, buildArgs: ReadonlyMap<string, string> | undefined): ReadonlyMap<string, string> {
  const variables = new Map(context.options.platformArgs ?? defaultPlatformArgs());
  for (const { args } of context.dockerfile.metaArgs) {
    for (const { key, value } of args) {
      const given = buildArgs?.get(key) ?? (value === undefined ? undefined : tryExpand(context, value, variables)?.result);
      if (given !== undefined) variables.set(key, given);
    }
  }
  return variables;
}

const architectures: ReadonlyMap<string, string> = new Map([
  ["x64", "amd64"],
  ["ia32", "386"],
]);

function defaultPlatformArgs(): readonly (readonly [string, string])[] {
  const architecture = architectures.get(process.arch) ?? process.arch;
  return ["BUILD", "TARGET"].flatMap((side) => [
    [`${side}PLATFORM`, `linux/${architecture}`] as const,
    [`${side}OS`, "linux"] as const,
    [`${side}OSVERSION`, ""] as const,
    [`${side}ARCH`, architecture] as const,
    [`${side}VARIANT`, ""] as const,
  ]);
}

export function checkDefaultImages(context: CheckContext): void {
  const variables = globalVariables(context, undefined);
  for (const { from } of context.dockerfile.stages) {
    const image = tryExpand(context, from.image, variables);
    if (image === undefined) return;
    if (!isImageName(image.result)) context.report("InvalidDefaultArgInFrom", from.lines, from.image);
  }
}

export function checkFroms(context: CheckContext, variables: ReadonlyMap<string, string>): void {
  const { metaArgs, stages } = context.dockerfile;
  const declared = new Set([...metaArgs.flatMap(({ args }) => args.map(({ key }) => key)), ...variables.keys()]);
  const { failure } = context.options;
  for (const { from } of stages) {
    const fails = failure?.during === "stages" && failure.lines?.start === from.lines.start;
    checkFrom(context, from, variables, declared, fails && failure.platform === true);
    if (fails) return;
  }
}

function checkFrom(
  context: CheckContext,
  from: FromInstruction,
  variables: ReadonlyMap<string, string>,
  declared: ReadonlySet<string>,
  isPlatformWrong: boolean,
): void {
  const undeclared = (names: readonly string[]) => {
    for (const name of names) {
      if (!declared.has(name)) context.report("UndefinedArgInFrom", from.lines, name, context.suggest(name, declared));
    }
  };
  undeclared(unmatchedIn(context, from.image, variables));
  const platform = from.platform === undefined ? undefined : tryExpand(context, from.platform, variables);
  if (platform === undefined || from.platform === undefined) return;
  undeclared(platform.unmatched);
  if (isPlatformWrong) return;
  const { matched, unmatched, result } = platform;
  if (matched.length === 1 && unmatched.length === 0 && matched[0] === "TARGETPLATFORM" && result === variables.get("TARGETPLATFORM")) {
    context.report("RedundantTargetPlatform", from.lines, from.platform);
  }
  if (matched.length === 0 && unmatched.length === 0 && !namesPlatform(from.as ?? "", result)) {
    context.report("FromPlatformFlagConstDisallowed", from.lines, result);
  }
}

/** Also of a word whose expansion fails. */
function unmatchedIn(context: CheckContext, word: string, variables: ReadonlyMap<string, string>): readonly string[] {
  try {
    return expandOrStop(context, word, variables).unmatched;
  } catch (error) {
    if (error instanceof UnexpandableWord) return error.unmatched;
    throw error;
  }
}

const operatingSystems = new Set("aix android darwin dragonfly freebsd illumos ios js linux netbsd openbsd plan9 solaris windows".split(" "));

/** Whether the stage's name tells that it is meant for one platform: then a constant is no surprise. */
function namesPlatform(stageName: string, platform: string): boolean {
  const [first = "", second] = platform.toLowerCase().split("/");
  if (!/^[a-z0-9_.-]+(?:\/[a-z0-9_.-]+){0,2}$/.test(platform.toLowerCase())) return true;
  const isSystem = second !== undefined || operatingSystems.has(first);
  const system = isSystem ? first : "linux";
  const machine = isSystem ? (second ?? architectures.get(process.arch) ?? process.arch) : first;
  const aliases: ReadonlyMap<string, string> = new Map([
    ["x86_64", "amd64"],
    ["x86-64", "amd64"],
    ["aarch64", "arm64"],
    ["i386", "386"],
    ["armhf", "arm"],
  ]);
  return stageName.includes(system) || stageName.includes(aliases.get(machine) ?? machine);
}
