import type { LineRange } from "./instruction.ts";

export interface ExcerptOptions {
  readonly fileName: string;
  readonly color?: boolean;
}

/** The lines around an error as BuildKit prints them, without final newline; "" when no line can be shown. */
export function formatExcerpt(text: string, lines: LineRange | readonly LineRange[], options: ExcerptOptions): string {
  throw new Error(`not written yet ${text} ${lines} ${options.fileName}`);
}
