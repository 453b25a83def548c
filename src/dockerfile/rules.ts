/** Lint rules as data: name, description and the wording of each message. BuildKit's stand here, ours in own-rules.ts. */
import { goQuote } from "../base/go-text.ts";
import type { LineRange, Warning } from "./instruction.ts";
import { isOwnRule, ownRulePages, ownRules } from "./own-rules.ts";
import { withSuggestion } from "./suggest.ts";

export interface Rule<Arguments extends readonly (string | undefined)[]> {
  readonly description: string;
  /** off unless asked for */
  readonly experimental?: true;
  /** Docker has a page about most of its rules */
  readonly hasPage?: false;
  readonly message: (...args: Arguments) => string;
}

function rule<Arguments extends readonly (string | undefined)[]>(description: string, message: (...args: Arguments) => string): Rule<Arguments> {
  return { description, message };
}

export const rules = {
  StageNameCasing: rule("Stage names should be lowercase", (name: string) => `Stage name '${name}' should be lowercase`),
  FromAsCasing: rule(
    "The 'as' keyword should match the case of the 'from' keyword",
    (from: string, as: string) => `'${as}' and '${from}' keywords' casing do not match`,
  ),
  NoEmptyContinuation: rule("Empty continuation lines will become errors in a future release", () => "Empty continuation line"),
  ConsistentInstructionCasing: rule(
    "All commands within the Dockerfile should use the same casing (either upper or lower)",
    (keyword: string, casing: string) => `Command '${keyword}' should match the case of the command majority (${casing})`,
  ),
  DuplicateStageName: rule("Stage names should be unique", (name: string) => `Duplicate stage name ${goQuote(name)}, stage names should be unique`),
  ReservedStageName: rule(
    "Reserved words should not be used as stage names",
    (name: string) => `Stage name should not use the same name as reserved stage ${goQuote(name)}`,
  ),
  JSONArgsRecommended: rule(
    "JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior related to OS signals",
    (keyword: string) => `JSON arguments recommended for ${keyword} to prevent unintended behavior related to OS signals`,
  ),
  MaintainerDeprecated: rule(
    "The MAINTAINER instruction is deprecated, use a label instead to define an image author",
    () => "Maintainer instruction is deprecated in favor of using label",
  ),
  UndefinedArgInFrom: rule("FROM command must use declared ARGs", (name: string, suggestion: string | undefined) =>
    withSuggestion(`FROM argument '${name}' is not declared`, suggestion),
  ),
  WorkdirRelativePath: rule(
    "Relative workdir without an absolute workdir declared within the build can have unexpected results if the base image changes",
    (path: string) => `Relative workdir ${goQuote(path)} can have unexpected results if the base image changes`,
  ),
  UndefinedVar: rule("Variables should be defined before their use", (name: string, suggestion: string | undefined) =>
    withSuggestion(`Usage of undefined variable '$${name}'`, suggestion === undefined ? undefined : `$${suggestion}`),
  ),
  MultipleInstructionsDisallowed: rule(
    "Multiple instructions of the same type should not be used in the same stage",
    (keyword: string) => `Multiple ${keyword} instructions should not be used in the same stage because only the last one will be used`,
  ),
  LegacyKeyValueFormat: rule(
    "Legacy key/value format with whitespace separator should not be used",
    (keyword: string) => `"${keyword} key=value" should be used instead of legacy "${keyword} key value" format`,
  ),
  InvalidBaseImagePlatform: {
    ...rule(
      "Base image platform does not match expected target platform",
      (image: string, actual: string, expected: string) =>
        `Base image ${image} was pulled with platform ${goQuote(actual)}, expected ${goQuote(expected)} for current build`,
    ),
    hasPage: false,
  },
  RedundantTargetPlatform: rule(
    "Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior",
    (platform: string) => `Setting platform to predefined ${platform} in FROM is redundant as this is the default behavior`,
  ),
  SecretsUsedInArgOrEnv: rule(
    "Sensitive data should not be used in the ARG or ENV commands",
    (instruction: string, key: string) => `Do not use ARG or ENV instructions for sensitive data (${instruction} ${goQuote(key)})`,
  ),
  InvalidDefaultArgInFrom: rule(
    "Default value for global ARG results in an empty or invalid base image name",
    (image: string) => `Default value for ARG ${image} results in empty or invalid base image name`,
  ),
  FromPlatformFlagConstDisallowed: rule(
    "FROM --platform flag should not use a constant value",
    (platform: string) => `FROM --platform flag should not use constant value ${goQuote(platform)}`,
  ),
  CopyIgnoredFile: {
    ...rule(
      "Attempting to Copy file that is excluded by .dockerignore",
      (instruction: string, file: string) => `Attempting to ${instruction} file ${goQuote(file)} that is excluded by .dockerignore`,
    ),
    experimental: true,
  },
  InvalidDefinitionDescription: {
    ...rule(
      "Comment for build stage or argument should follow the format: `# <arg/stage name> <description>`. If this is not intended to be a description comment, add an empty line or comment between the instruction and the comment.",
      (instruction: string, name: string) => `Comment for ${instruction} should follow the format: \`# ${name} <description>\``,
    ),
    experimental: true,
  },
  ExposeProtoCasing: rule(
    "Protocol in EXPOSE instruction should be lowercase",
    (port: string) => `Defined protocol '${port}' in EXPOSE instruction should be lowercase`,
  ),
  ExposeInvalidFormat: rule(
    "IP address and host-port mapping should not be used in EXPOSE instruction. This will become an error in a future release",
    (port: string) => `EXPOSE instruction should not define an IP address or host-port mapping, found '${port}'`,
  ),
} as const;

const allRules = { ...rules, ...ownRules };

export type RuleName = keyof typeof allRules;

export function isExperimental(name: RuleName): boolean {
  return "experimental" in allRules[name];
}

export type RuleArguments<Name extends RuleName> = (typeof allRules)[Name] extends Rule<infer Arguments> ? Arguments : never;

export function createWarning<Name extends RuleName>(name: Name, lines: LineRange | undefined, ...args: RuleArguments<Name>): Warning {
  const { description, message }: Rule<RuleArguments<Name>> = ruleOf(name);
  return { rule: name, message: message(...args), description, url: ruleUrl(name), lines };
}

function ruleOf<Name extends RuleName>(name: Name): Rule<RuleArguments<Name>> {
  // the table's entry for a name takes that name's arguments: TypeScript cannot follow the index
  return allRules[name] as unknown as Rule<RuleArguments<Name>>;
}

/** BuildKit's page for its rules, "" where it has none, `docs/rules/….md` for ours. */
export function ruleUrl(name: RuleName): string {
  if ("hasPage" in allRules[name]) return "";
  const page = rulePageName(name);
  return isOwnRule(name) ? `${ownRulePages}${page}.md` : `https://docs.docker.com/go/dockerfile/rule/${page}/`;
}

/** `StageNameCasing` → `stage-name-casing`, `JSONArgsRecommended` → `json-args-recommended` */
export function rulePageName(name: RuleName): string {
  const words = name.replace(/([A-Z]+)([A-Z][a-z])|([a-z])([A-Z])/g, (_, a = "", b = "", c = "", d = "") => `${a}${c}-${b}${d}`);
  return words.toLowerCase();
}
