/** SOURCE_DATE_EPOCH. @see https://reproducible-builds.org/specs/source-date-epoch/ */
import { goQuote } from "../base/go-text.ts";
import { SlipwayError } from "../base/errors.ts";

/** Seconds; undefined when not set. Fails with INVALID_EPOCH in BuildKit's words. */
export function parseEpoch(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  if (/^-?\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  const reason = `strconv.ParseInt: parsing ${goQuote(text)}: invalid syntax`;
  throw new SlipwayError("invalid_argument", "INVALID_EPOCH", `invalid source-date-epoch: ${reason}: ${reason}`, { got: text, lines: undefined });
}
