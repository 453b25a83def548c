/** Signals by name and number. Pure. */
import { constants } from "node:os";

/** "TERM", "SIGTERM", "15", "RTMIN+3"; undefined for what is no signal. */
export function signalNumber(text: string): number | undefined {
  const number = Number(text);
  if (/^\d+$/.test(text)) return number > 0 && number <= 64 ? number : undefined;
  const upper = text.toUpperCase();
  const name = upper.startsWith("SIG") ? upper : `SIG${upper}`;
  const realTime = /^SIGRT(MIN|MAX)(?:([+-])(\d+))?$/.exec(name);
  if (realTime !== null) return (realTime[1] === "MIN" ? 34 : 64) + Number(realTime[3] ?? 0) * (realTime[2] === "-" ? -1 : 1);
  return Object.entries(constants.signals).find(([signal]) => signal === name)?.[1];
}
