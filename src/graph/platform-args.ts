/** Variables that every build has without declaring a value: platforms, the stage, proxies. */
import { formatPlatform, type Platform } from "../oci/platform.ts";
import type { Dockerfile } from "../dockerfile/instruction.ts";
import type { Variables } from "./variables.ts";

/** `--target` as it was given, or the last stage's name. */
export function targetStageOf({ stages }: Dockerfile, given: string | undefined): string {
  return given === undefined || given === "" ? (stages.at(-1)?.name ?? "") : given;
}

/** A stage without a name is "default". */
export function platformArgs(build: Platform, target: Platform, targetStage: string): Map<string, string> {
  return new Map([
    ["BUILDPLATFORM", formatPlatform(build)],
    ["BUILDOS", build.os],
    ["BUILDOSVERSION", build["os.version"] ?? ""],
    ["BUILDARCH", build.architecture],
    ["BUILDVARIANT", build.variant ?? ""],
    ["TARGETPLATFORM", formatPlatform(target)],
    ["TARGETOS", target.os],
    ["TARGETOSVERSION", target["os.version"] ?? ""],
    ["TARGETARCH", target.architecture],
    ["TARGETVARIANT", target.variant ?? ""],
    ["TARGETSTAGE", targetStage === "" ? "default" : targetStage],
  ]);
}

/** "linux/arm64", or "linux/amd64->arm64" where the step sees that it works for another platform than it runs on: BuildKit's words. */
export function platformPrefix(platform: Platform, variables: Variables): string {
  const target = seenTarget(platform, variables);
  if (target === undefined || formatPlatform(target) === formatPlatform(platform)) return formatPlatform(platform);
  const { architecture, variant } = target;
  const shown = target.os === platform.os ? `${architecture}${variant === undefined ? "" : `/${variant}`}` : formatPlatform(target);
  return `${formatPlatform(platform)}->${shown}`;
}

function seenTarget(platform: Platform, variables: Variables): Platform | undefined {
  const whole = variables.get("TARGETPLATFORM") ?? "";
  const [os, architecture, variant] = whole === "" ? ["TARGETOS", "TARGETARCH", "TARGETVARIANT"].map((name) => variables.get(name) ?? "") : whole.split("/");
  if (architecture === undefined || architecture === "") return undefined;
  return { os: os === undefined || os === "" ? platform.os : os, architecture, ...(variant === undefined || variant === "" ? {} : { variant }) };
}

const proxyNames = ["http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy"];

/**
 * Proxy settings among the build arguments, in whatever case: they reach RUN without ARG, under both names, and stay out of the
 * cache and the history.
 */
export function proxyVariables(buildArgs: ReadonlyMap<string, string>): readonly string[] {
  return proxyNames.flatMap((name) => {
    const [, value = ""] = [...buildArgs].findLast(([key]) => key.toLowerCase() === name) ?? [];
    return value === "" ? [] : [`${name.toUpperCase()}=${value}`, `${name}=${value}`];
  });
}
