/**
 * Dockerfiles as values: text to typed instructions, word expansion, ignore files, globs, lint rules.
 * Pure functions: nothing here reads a file, the environment or a clock.
 */
export { assertChecks, checkDockerfile, type BaseImage, type BuildFailure, type CheckOptions } from "./checks.ts";
export { formatExcerpt, type ExcerptOptions } from "./excerpt.ts";
export { compileGlob, hasGlob, matchGlob, splitGlob } from "./glob.ts";
export { createIgnoreMatcher, parseIgnore, type IgnoreExplanation, type IgnoreMatcher, type IgnorePattern } from "./ignore.ts";
export type * from "./instruction.ts";
export { listTargets, outlineTarget, type Outline, type Target } from "./outline.ts";
export { parseDockerfile, parsePrefix, parseTrigger, type ParseOptions } from "./parse.ts";
export { parseRunMount, type WordExpander } from "./run-mount.ts";
export { formatStepName, type StepNameOptions } from "./step-name.ts";
export { findSuggestion } from "./suggest.ts";
export { formatSyntax, parseSyntax, parseSyntaxWithFaults, type FaultySyntax } from "./syntax.ts";
export { positionInFile } from "./syntax-tree.ts";
export type {
  Arguments,
  BlankNode,
  CommentNode,
  DirectiveNode,
  HeredocBody,
  InstructionNode,
  LinePiece,
  Position,
  Span,
  SyntaxNode,
  SyntaxTree,
} from "./syntax-tree.ts";
export { expandWord, expandWords, type ExpandedWord, type ExpandedWords, type VariableLookup, type WordOptions } from "./word.ts";
