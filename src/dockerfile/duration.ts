/** Durations as `1h30m`, `1.5s`, `100ms`, in nanoseconds. */
import { goQuote } from "../base/go-text.ts";
import { syntaxReason } from "./parse-error.ts";

const units: ReadonlyMap<string, number> = new Map([
  ["ns", 1],
  ["us", 1e3],
  ["\u00b5s", 1e3],
  ["\u03bcs", 1e3],
  ["ms", 1e6],
  ["s", 1e9],
  ["m", 60e9],
  ["h", 3600e9],
]);
const number = /^[0-9]*(?:\.[0-9]*)?/;
const unitName = /^[^.0-9]*/;
const maximumNs = 2 ** 63;

/** Throws Docker's "time: invalid duration" and the like. Whole nanoseconds; up to about 292 years. */
export function parseDuration(text: string): number {
  const invalid = () => syntaxReason(`time: invalid duration ${goQuote(text)}`, text);
  const sign = text.startsWith("-") ? -1 : 1;
  let rest = text.replace(/^[+-]/, "");
  if (rest === "0") return 0;
  if (rest === "") throw invalid();
  let total = 0;
  while (rest !== "") {
    const amount = number.exec(rest)?.[0] ?? "";
    if (amount === "" || amount === ".") throw invalid();
    rest = rest.slice(amount.length);
    const unit = unitName.exec(rest)?.[0] ?? "";
    if (unit === "") throw syntaxReason(`time: missing unit in duration ${goQuote(text)}`, text);
    const factor = units.get(unit);
    if (factor === undefined) throw syntaxReason(`time: unknown unit ${goQuote(unit)} in duration ${goQuote(text)}`, text);
    total += Math.trunc(Number(amount) * factor);
    if (total >= maximumNs) throw invalid();
    rest = rest.slice(unit.length);
  }
  return sign * total;
}
