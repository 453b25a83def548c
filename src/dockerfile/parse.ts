/** Text → Dockerfile: typed instructions in stages, with every fault in the words that Docker's users search for. */
import { SlipwayError } from "../base/errors.ts";
import { builtinFeatures, featuresOf, type FrontendFeatures } from "./frontend.ts";
import { instructionFromSyntax } from "./instruction-from-syntax.ts";
import type { ArgInstruction, Dockerfile, FromInstruction, Instruction, LineRange, Stage } from "./instruction.ts";
import { atLines, dockerfileError } from "./parse-error.ts";
import { emptyContinuation, keywordWarnings } from "./parse-warnings.ts";
import { isInstruction, type InstructionNode, type SyntaxTree } from "./syntax-tree.ts";
import { parseSyntax, parseSyntaxWithFaults } from "./syntax.ts";

export interface ParseOptions {
  /** for `details.fileName` of errors; default "Dockerfile" */
  readonly fileName?: string | undefined;
  /** `# check=` is not read, so it cannot be at fault */
  readonly ignoresCheck?: boolean | undefined;
  /** the frontend's image, whatever `# syntax=` says */
  readonly syntax?: string | undefined;
}

/**
 * Fails with DOCKERFILE_PARSE: the message is Docker's, `details.lines` (absent when no line is at fault) is what
 * formatExcerpt() marks, `details.culprit` what it points at, `details.also` further faults with the same members. Bytes that are not UTF-8 become U+FFFD.
 */
export function parseDockerfile(source: string | Uint8Array, options: ParseOptions = {}): Dockerfile {
  const text = typeof source === "string" ? source : decode(source);
  const fileName = options.fileName ?? "Dockerfile";
  try {
    return parseText(text, options);
  } catch (error) {
    if (error instanceof SlipwayError) throw new SlipwayError(error.kind, error.code, error.message, { ...error.details, fileName });
    throw error;
  }
}

/**
 * Parses the text of an ONBUILD trigger as stored in an image's config. Fails with DOCKERFILE_PARSE, also when the
 * text is not exactly one instruction.
 */
export function parseTrigger(expression: string): Instruction {
  const [node, ...others] = parseSyntax(expression).nodes.filter(isInstruction);
  if (node === undefined || others.length > 0) throw dockerfileError("onbuild trigger should be a single expression", undefined);
  const instruction = typedInstruction(node, builtinFeatures);
  if (instruction.type === "from") throw dockerfileError("FROM isn't allowed as an ONBUILD trigger", undefined);
  return instruction;
}

/**
 * What stands before the first fault of a file that does not parse: the checks have something to say of it already, as
 * Docker's do. undefined when not even its lines could be split.
 */
export function parsePrefix(source: string | Uint8Array): Dockerfile | undefined {
  const text = typeof source === "string" ? source : decode(source);
  try {
    return dockerfileFrom(parseSyntax(text), []).dockerfile;
  } catch (error) {
    if (error instanceof SlipwayError) return undefined;
    throw error;
  }
}

// the mark stays in the text so that offsets fit the file
function decode(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

function parseText(text: string, { ignoresCheck = false, syntax }: ParseOptions): Dockerfile {
  if (text === "") throw dockerfileError("the Dockerfile cannot be empty", undefined);
  const { tree, faults } = parseSyntaxWithFaults(text, ignoresCheck);
  const { dockerfile, fault } = dockerfileFrom(tree, faults, syntax);
  if (fault !== undefined) throw fault;
  if (dockerfile.stages.length === 0) throw dockerfileError("dockerfile contains no stages to build", undefined);
  return dockerfile;
}

/** All of the file, or what stands before the fault. */
function dockerfileFrom(
  { nodes: all, directives, text }: SyntaxTree,
  faults: readonly SlipwayError[],
  syntax?: string,
): { readonly dockerfile: Dockerfile; readonly fault?: SlipwayError } {
  const nodes = all.filter(isInstruction);
  const features = featuresOf(syntax ?? directives.syntax);
  const metaArgs: ArgInstruction[] = [];
  const stages: GrowingStage[] = [];
  const warnings = nodes.flatMap(emptyContinuation);
  const dockerfile = { directives, metaArgs, stages, warnings, text };
  // what cannot be split is said first, wherever it stands
  if (faults[0] !== undefined)
    return { dockerfile, fault: withFurtherFaults(faults[0], [...faults.slice(1), ...nodes.flatMap((node) => faultOf(node, features) ?? [])]) };
  try {
    for (const node of nodes) {
      warnings.push(...keywordWarnings(node));
      addInstruction(node, features, dockerfile);
    }
    return { dockerfile };
  } catch (error) {
    if (error instanceof SlipwayError) return { dockerfile, fault: withFurtherFaults(error, laterFaults(error, nodes, features)) };
    throw error;
  }
}

interface GrowingStage extends Stage {
  readonly instructions: Instruction[];
}

const maximumFaults = 20;

/** The first fault, and in `details.also` the others in the order of the file. */
function withFurtherFaults(first: SlipwayError, others: readonly SlipwayError[]): SlipwayError {
  const also = others
    .flatMap(({ message, details: { lines, culprit } }) => (isLines(lines) ? { message, lines, ...(culprit === undefined ? {} : { culprit }) } : []))
    .toSorted((left, right) => left.lines.start - right.lines.start)
    .slice(0, maximumFaults);
  return also.length === 0 ? first : new SlipwayError(first.kind, first.code, first.message, { ...first.details, also }, first.cause);
}

function laterFaults({ details }: SlipwayError, nodes: readonly InstructionNode[], features: FrontendFeatures): readonly SlipwayError[] {
  const { lines } = details;
  return !isLines(lines) ? [] : nodes.filter((node) => node.lines.start > lines.start).flatMap((node) => faultOf(node, features) ?? []);
}

function isLines(value: unknown): value is LineRange {
  return typeof value === "object" && value !== null && "start" in value && typeof value.start === "number";
}

function faultOf(node: InstructionNode, features: FrontendFeatures): SlipwayError | undefined {
  try {
    typedInstruction(node, features);
    return undefined;
  } catch (error) {
    if (error instanceof SlipwayError) return error;
    throw error;
  }
}

function addInstruction(
  node: InstructionNode,
  features: FrontendFeatures,
  { metaArgs, stages }: { readonly metaArgs: ArgInstruction[]; readonly stages: GrowingStage[] },
): void {
  const instruction = typedInstruction(node, features);
  const current = stages.at(-1);
  if (instruction.type === "from") stages.push({ from: instruction, index: stages.length, name: instruction.as, instructions: [] });
  else if (current !== undefined) current.instructions.push(instruction);
  else if (instruction.type === "arg") metaArgs.push(instruction);
  else throw dockerfileError("no build stage in current context", node.lines);
}

function typedInstruction(node: InstructionNode, features: FrontendFeatures): Instruction | FromInstruction {
  return atLines(node.lines, true, () => instructionFromSyntax(node, features));
}
