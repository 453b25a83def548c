/** `--device`, `--device-cgroup-rule` and `--gpus` as the engine takes them. Failures in Docker's words. */
import { SlipwayError } from "../../base/errors.ts";
import type { RunOptions } from "../../engine/api.ts";
import { cliError } from "../failure.ts";
import type { ParsedFlags } from "../flags.ts";

type Device = NonNullable<RunOptions["devices"]>[number];

/** Fails with USAGE or UNKNOWN_FLAG (invalid_argument), GPUS_UNSUPPORTED (failed_precondition). */
export function deviceOptions(flags: ParsedFlags): Pick<RunOptions, "devices" | "deviceRules"> {
  if (flags.changed("gpus"))
    throw new SlipwayError("failed_precondition", "GPUS_UNSUPPORTED", 'could not select device driver "" with capabilities: [[gpu]]', {
      remedy: "give the GPU's own devices: --device /dev/dri, or --device /dev/nvidia0 --device /dev/nvidiactl with the driver's libraries as -v",
    });
  return { devices: flags.list("device").map(parseDevice), deviceRules: flags.list("device-cgroup-rule").map(checkedRule) };
}

const isMode = (text: string): boolean => /^[rwm]{1,3}$/.test(text) && new Set(text).size === text.length;

function parseDevice(text: string): Device {
  const [host = "", second, third, ...rest] = text.split(":");
  if (rest.length > 0 || text === "") throw cliError(`bad format for path: ${text}`);
  if (third !== undefined && !isMode(third)) throw cliError(`bad mode specified: ${third}`);
  const short = third === undefined && second !== undefined && isMode(second);
  const container = second === undefined || short ? host : second;
  for (const path of [container, host]) if (!path.startsWith("/")) throw cliError(`${path} is not an absolute path`);
  return { host, container, permissions: third ?? (short ? second : "rwm") };
}

function checkedRule(text: string): string {
  if (/^[abc] (?:\d+|\*):(?:\d+|\*) [rwm]{1,3}$/.test(text)) return text;
  throw cliError(`invalid argument ${JSON.stringify(text)} for "--device-cgroup-rule" flag: invalid device cgroup format '${text}'`, "UNKNOWN_FLAG");
}
