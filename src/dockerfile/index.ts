/** Dockerfiles as values: text to typed instructions, word expansion, ignore files, globs, lint rules. */
export type * from "./instruction.ts";
export { parseDockerfile, type ParseOptions } from "./parse.ts";
export { formatExcerpt, type ExcerptOptions } from "./excerpt.ts";
export { expandWord, expandWords, type ExpandedWord, type ExpandedWords, type VariableLookup, type WordOptions } from "./word.ts";
export { parseRunMount } from "./run-mount.ts";
export { createIgnoreMatcher, parseIgnore, type IgnoreExplanation, type IgnoreMatcher, type IgnorePattern } from "./ignore.ts";
export { hasGlob, matchGlob } from "./glob.ts";
export { checkDockerfile, type CheckOptions } from "./checks.ts";
