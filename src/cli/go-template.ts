/** Go's text/template, as far as people use it behind `--format`: parse once, fill in for each value. */
import { evaluateTemplate } from "./go-template-evaluate.ts";
import type { EvaluateOptions } from "./go-template-evaluate.ts";
import { headingFunctions, indentingFunctions, templateFunctions } from "./go-template-functions.ts";
import { parseTemplate } from "./go-template-parse.ts";
import type { GoValue } from "./go-value.ts";

const names: ReadonlySet<string> = new Set(templateFunctions.keys());

export interface TemplateOptions extends Omit<EvaluateOptions, "functions"> {
  /** `json` writes several lines, as buildx does */
  readonly indentJson?: boolean;
}

export interface CompiledTemplate {
  /** Fails with TEMPLATE (invalid_argument) in Go's words. */
  fill(data: GoValue, options?: TemplateOptions): string;
  /** The same with the functions that Docker uses for a table's headings. */
  fillHeading(data: GoValue): string;
}

/** Fails with TEMPLATE (invalid_argument) in Go's words. `name` stands in messages; Docker leaves it empty mostly. */
export function compileTemplate(text: string, name = "", errorPrefix?: string): CompiledTemplate {
  const template = parseTemplate({ name, text, errorPrefix }, names);
  return {
    fill: (data, { indentJson = false, ...options } = {}) =>
      evaluateTemplate(template, data, { ...options, functions: indentJson ? indentingFunctions : templateFunctions }),
    fillHeading: (data) => evaluateTemplate(template, data, { functions: headingFunctions }),
  };
}
