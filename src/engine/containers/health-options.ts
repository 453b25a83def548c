/** The image's HEALTHCHECK with what the user says of it. Pure. */
import { SlipwayError } from "../../base/errors.ts";
import type { ContainerConfig as ImageContainerConfig, Healthcheck } from "../../oci/image-config.ts";
import type { ContainerConfig } from "../../runtime/container-records.ts";
import type { HealthOptions } from "../container-api.ts";

/** INVALID_HEALTHCHECK (invalid_argument) in Docker's words. */
export function healthOf(asked: HealthOptions | "none" | undefined, image: ImageContainerConfig): Pick<ContainerConfig, "healthcheck" | "shell"> {
  const healthcheck = asked === "none" ? { Test: ["NONE"] } : merged(asked, image.Healthcheck);
  return { ...(healthcheck === undefined ? {} : { healthcheck }), ...(image.Shell?.length ? { shell: image.Shell } : {}) };
}

function merged(asked: HealthOptions | undefined, own: Healthcheck | undefined): Healthcheck | undefined {
  if (asked === undefined) return own;
  const { command, retries = 0 } = asked;
  const times = {
    Interval: nanoseconds("Interval", asked.intervalMs),
    Timeout: nanoseconds("Timeout", asked.timeoutMs),
    StartPeriod: nanoseconds("StartPeriod", asked.startPeriodMs),
    StartInterval: nanoseconds("StartInterval", asked.startIntervalMs),
  };
  const said = { ...(command === undefined ? {} : { Test: ["CMD-SHELL", command] }), ...times, Retries: retries };
  return { ...own, ...Object.fromEntries(Object.entries(said).filter(([, value]) => value !== 0)) };
}

function nanoseconds(name: string, ms = 0): number {
  if (ms !== 0 && ms < 1) throw new SlipwayError("invalid_argument", "INVALID_HEALTHCHECK", `${name} in Healthcheck cannot be less than 1ms`, { name });
  return Math.round(ms * 1e6);
}
