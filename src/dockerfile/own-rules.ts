/**
 * Checks that BuildKit does not have. Their links lead to our pages, they change no exit code, and `# check=skip=slipway`
 * leaves out all of them.
 */
import type { Rule } from "./rules.ts";

/** Where the pages of these rules are; links of BuildKit's rules begin otherwise. */
export const ownRulePages = "docs/rules/";

/** stands for all of them in `# check=skip=` */
export const ownRulesName = "slipway";

function rule<Arguments extends readonly (string | undefined)[]>(description: string, message: (...args: Arguments) => string): Rule<Arguments> {
  return { description, message };
}

export const ownRules = {
  OwnerChangedAfterCopy: rule(
    "Owner and mode should be given with COPY: changing them in a later RUN stores all the files again",
    (command: string, path: string, advice: string) => `${command} stores what was copied to ${path} a second time, use ${advice}`,
  ),
  CopyBeforeInstall: rule(
    "Dependencies should be installed before all the sources are copied, or every change installs them again",
    (command: string, files: string) => `${command} runs again whenever any file changes, copy ${files} and install before the rest is copied`,
  ),
  AptListsInLayer: rule(
    "Package lists should be removed in the RUN that fetches them, or they stay in its layer",
    (command: string) => `${command} leaves /var/lib/apt/lists in the layer, end the same RUN with rm -rf /var/lib/apt/lists/*`,
  ),
  NestedNodeModules: rule(
    "A name without ** in .dockerignore holds at the root of the context only",
    (path: string) => `${path} is copied, node_modules in .dockerignore holds at the root only, use **/node_modules`,
  ),
  RepositoryCopied: rule(
    "The repository of the sources should be left out of the context",
    (path: string) => `${path} is copied: all of the history comes into the image, and no two checkouts have the same, name it in .dockerignore`,
  ),
  SecretInValue: rule(
    "Values of ARG, ENV and LABEL are stored in the image and should not hold secrets",
    (instruction: string, key: string, what: string) => `The value of ${instruction} ${key} holds ${what}, use RUN --mount=type=secret`,
  ),
} as const;

export type OwnRuleName = keyof typeof ownRules;

export function isOwnRule(name: string): name is OwnRuleName {
  return Object.hasOwn(ownRules, name);
}
