/** Go's text/template, as far as people use it behind `--format`: parse once, fill in for each value. */
import { evaluateTemplate } from "./go-template-evaluate.ts";
import type { EvaluateOptions } from "./go-template-evaluate.ts";
import { headingFunctions, templateFunctions } from "./go-template-functions.ts";
import { parseTemplate } from "./go-template-parse.ts";
import type { GoValue } from "./go-value.ts";

const names: ReadonlySet<string> = new Set(templateFunctions.keys());

export type TemplateOptions = Omit<EvaluateOptions, "functions">;

export interface CompiledTemplate {
  /** Fails with TEMPLATE (invalid_argument) in Go's words. */
  fill(data: GoValue, options?: TemplateOptions): string;
  /** The same with the functions that Docker uses for a table's headings. */
  fillHeading(data: GoValue): string;
}

/** Fails with TEMPLATE (invalid_argument) in Go's words. `name` stands in messages; Docker leaves it empty mostly. */
export function compileTemplate(text: string, name = ""): CompiledTemplate {
  const template = parseTemplate({ name, text }, names);
  return {
    fill: (data, options = {}) => evaluateTemplate(template, data, { ...options, functions: templateFunctions }),
    fillHeading: (data) => evaluateTemplate(template, data, { functions: headingFunctions }),
  };
}
