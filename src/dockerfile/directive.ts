/** `# name=value` at the very beginning of a Dockerfile. */
import { booleanFromText, goQuote } from "../base/go-text.ts";
import type { SlipwayError } from "../base/errors.ts";
import { trimSpace } from "./go-text.ts";
import type { CheckDirective, RuleSelection } from "./instruction.ts";
import { syntaxReason } from "./parse-error.ts";

export type DirectiveName = "syntax" | "escape" | "check";

export interface Directive {
  readonly name: DirectiveName;
  readonly value: string;
}

const shape = /^([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=[\t\n\f\r ]*/;

/** The directive that a line is; undefined for comments and unknown names, which end the directives. */
export function parseDirective(line: string): Directive | undefined {
  if (!line.startsWith("#")) return undefined;
  const body = trimSpace(line.slice(1));
  const match = shape.exec(body);
  const name = match?.[1]?.toLowerCase();
  const value = body.slice(match?.[0].length ?? 0);
  if (value === "" || (name !== "syntax" && name !== "escape" && name !== "check")) return undefined;
  return { name, value };
}

export function parseEscape(value: string): "\\" | "`" {
  if (value === "\\" || value === "`") return value;
  throw syntaxReason(`invalid escape token '${value}' does not match \` or \\`);
}

/**
 * `skip=A,B;error=true;experimental=C` of `# check=`; what follows the first blank is dropped, as Docker does.
 * `origin`: what messages say could not be parsed.
 */
export function parseCheckDirective(value: string, origin = "check options"): CheckDirective {
  const settings: { skip: RuleSelection; error: boolean; experimental: RuleSelection } = { skip: [], error: false, experimental: [] };
  const [options = ""] = value.split(" ", 1);
  if (options === "") return settings;
  for (const option of options.split(";")) {
    const equals = option.indexOf("=");
    if (equals < 0) throw invalidCheck(option, origin);
    const name = trimSpace(option.slice(0, equals));
    const setting = trimSpace(option.slice(equals + 1));
    if (name === "skip" || name === "experimental") settings[name] = setting === "all" ? "all" : setting.split(",").map(trimSpace);
    else if (name === "error") settings.error = parseErrorSetting(setting, option, origin);
    else throw invalidCheck(name, origin);
  }
  return settings;
}

function invalidCheck(option: string, origin: string): SlipwayError {
  return syntaxReason(`failed to parse ${origin}: invalid check option ${goQuote(option)}`);
}

function parseErrorSetting(setting: string, option: string, origin: string): boolean {
  const parsed = booleanFromText(setting);
  if (parsed !== undefined) return parsed;
  const cause = `strconv.ParseBool: parsing ${goQuote(setting)}: invalid syntax`;
  throw syntaxReason(`failed to parse ${origin}: failed to parse check option ${goQuote(option)}: ${cause}`);
}
