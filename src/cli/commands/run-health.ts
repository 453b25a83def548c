/** `--health-*` and `--no-healthcheck` as the engine takes them. */
import type { HealthOptions } from "../../engine/api.ts";
import { cliError } from "../failure.ts";
import type { ParsedFlags } from "../flags.ts";
import { parseGoDuration } from "../units.ts";

const durations = { interval: "intervalMs", timeout: "timeoutMs", "start-period": "startPeriodMs", "start-interval": "startIntervalMs" } as const;

/** Undefined when none is given. Fails with USAGE in the words of Docker's command line. */
export function healthOf(flags: ParsedFlags): HealthOptions | "none" | undefined {
  const given = ["cmd", "retries", ...Object.keys(durations)].filter((name) => flags.changed(`health-${name}`));
  if (flags.bool("no-healthcheck")) {
    if (given.length > 0) throw cliError("--no-healthcheck conflicts with --health-* options");
    return "none";
  }
  if (given.length === 0) return undefined;
  const retries = flags.number("health-retries");
  if (retries !== undefined && retries < 0) throw cliError("--health-retries cannot be negative");
  const command = flags.optional("health-cmd");
  const times = Object.entries(durations)
    .filter(([name]) => flags.changed(`health-${name}`))
    .map(([name, field]) => [field, durationOf(flags, `health-${name}`)] as const);
  return { ...(command === undefined || command === "" ? {} : { command }), ...(retries === undefined ? {} : { retries }), ...Object.fromEntries(times) };
}

function durationOf(flags: ParsedFlags, name: string): number {
  const ms = parseGoDuration(flags.string(name));
  if (ms < 0) throw cliError(`--${name} cannot be negative`);
  return ms;
}
