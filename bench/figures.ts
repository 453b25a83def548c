/** From times to figures: medians, and each contestant's ratio to Slipway's time. Pure. */
export interface Measurement {
  readonly case: string;
  readonly description: string;
  readonly contestant: string;
  readonly timesMs: readonly number[];
}

export interface Row {
  readonly case: string;
  readonly description: string;
  readonly medianMs: Readonly<Record<string, number>>;
  /** Slipway's median divided by the other's: below 1 Slipway is faster */
  readonly ratio: Readonly<Record<string, number>>;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

export function summarize(measurements: readonly Measurement[]): readonly Row[] {
  return [...Map.groupBy(measurements, (one) => one.case)].map(([name, group]) => {
    const medianMs = Object.fromEntries(group.map((one) => [one.contestant, median(one.timesMs)]));
    const own = medianMs["slipway"] ?? Number.NaN;
    const others = Object.entries(medianMs).filter(([contestant]) => contestant !== "slipway");
    return { case: name, description: group[0]?.description ?? "", medianMs, ratio: Object.fromEntries(others.map(([other, ms]) => [other, own / ms])) };
  });
}

/** A Markdown table, ready for the README. */
export function formatTable(rows: readonly Row[], contestants: readonly string[]): string {
  const others = contestants.filter((one) => one !== "slipway");
  const head = ["case", ...contestants.map((one) => `${one} ms`), ...others.map((one) => `slipway/${one}`)];
  const lines = rows.map((row) => [row.case, ...contestants.map((one) => shown(row.medianMs[one], 0)), ...others.map((one) => shown(row.ratio[one], 2))]);
  const widths = head.map((cell, column) => Math.max(cell.length, ...lines.map((line) => line[column]?.length ?? 0)));
  const format = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join(" | ")} |`;
  const rule = `|${widths.map((width, column) => (column === 0 ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`)).join("|")}|`;
  return [format(head), rule, ...lines.map(format)].join("\n");
}

/** Nothing where somebody has no part in a case. */
function shown(value: number | undefined, digits: number): string {
  return value === undefined || Number.isNaN(value) ? "" : value.toFixed(digits);
}
