/** How many failed steps a store keeps where nobody says otherwise. */
import { SlipwayError } from "../../base/errors.ts";

const usualCount = 5;
const variable = "SLIPWAY_KEEP_FAILED";

/** Fails with INVALID_SETTING (invalid_argument) for what is no number of steps. */
export function defaultKeptCount(env: Readonly<Record<string, string | undefined>>): number {
  const text = env[variable] ?? "";
  if (text === "") return usualCount;
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new SlipwayError("invalid_argument", "INVALID_SETTING", `${variable} is how many failed steps are kept, and not ${JSON.stringify(text)}`, { variable });
}
