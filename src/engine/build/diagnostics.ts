/** Errors and warnings with the place they come from: the Dockerfile's name, line and excerpt. */
import { SlipwayError } from "../../base/errors.ts";
import { formatExcerpt } from "../../dockerfile/excerpt.ts";
import { isOwnRule } from "../../dockerfile/own-rules.ts";
import type { LineRange, Warning } from "../../dockerfile/instruction.ts";
import type { BuildWarning } from "../api.ts";

export interface DockerfileText {
  readonly name: string;
  readonly text: string;
}

/** Adds `details.excerpt` and `details.line` when the error names lines, and to each of `details.also` its excerpt. */
export function withExcerpt(error: unknown, dockerfile: DockerfileText): unknown {
  if (!(error instanceof SlipwayError) || error.details["excerpt"] !== undefined) return error;
  const lines = linesOf(error);
  if (lines === undefined) return error;
  const excerpt = formatExcerpt(dockerfile.text, lines, { fileName: dockerfile.name, culprit: culpritOf(error.details) });
  const also = furtherFaults(error.details["also"], dockerfile);
  const details = { ...error.details, ...(also.length === 0 ? {} : { also }), file: dockerfile.name, line: lines.start, excerpt };
  return new SlipwayError(error.kind, error.code, error.message, details, error.cause);
}

function culpritOf(details: Readonly<Record<string, unknown>>): string | undefined {
  const culprit = details["culprit"] ?? details["word"];
  return typeof culprit === "string" ? culprit : undefined;
}

/** A fault that a build did not come to. */
export interface FurtherFault {
  readonly message: string;
  readonly excerpt: string;
}

function furtherFaults(also: unknown, dockerfile: DockerfileText): readonly FurtherFault[] {
  return (Array.isArray(also) ? (also as readonly Readonly<Record<string, unknown>>[]) : []).flatMap((fault) => {
    const { message, lines } = fault;
    if (typeof message !== "string" || !isLineRange(lines)) return [];
    return { message, excerpt: formatExcerpt(dockerfile.text, lines, { fileName: dockerfile.name, culprit: culpritOf(fault) }) };
  });
}

/** The lines that the error names. */
export function linesOf({ details }: SlipwayError): LineRange | undefined {
  return isLineRange(details["lines"]) ? details["lines"] : undefined;
}

function isLineRange(value: unknown): value is LineRange {
  return typeof value === "object" && value !== null && "start" in value && "end" in value && typeof value.start === "number" && typeof value.end === "number";
}

export function buildWarningFrom(warning: Warning, dockerfile: DockerfileText): BuildWarning {
  return {
    rule: warning.rule,
    isOwn: isOwnRule(warning.rule),
    message: warning.message,
    description: warning.description,
    url: warning.url,
    line: warning.lines?.start,
    lines: warning.lines,
    excerpt: warning.lines === undefined ? "" : formatExcerpt(dockerfile.text, warning.lines, { fileName: dockerfile.name }),
  };
}
