/** Variables that every build has without declaring a value: platforms, the stage, proxies. */
import { formatPlatform, type Platform } from "../oci/platform.ts";
import type { Variables } from "./variables.ts";

export function platformArgs(build: Platform, target: Platform, targetStage: string): Variables {
  return [
    { key: "BUILDPLATFORM", value: formatPlatform(build) },
    { key: "BUILDOS", value: build.os },
    { key: "BUILDOSVERSION", value: build["os.version"] ?? "" },
    { key: "BUILDARCH", value: build.architecture },
    { key: "BUILDVARIANT", value: build.variant ?? "" },
    { key: "TARGETPLATFORM", value: formatPlatform(target) },
    { key: "TARGETOS", value: target.os },
    { key: "TARGETOSVERSION", value: target["os.version"] ?? "" },
    { key: "TARGETARCH", value: target.architecture },
    { key: "TARGETVARIANT", value: target.variant ?? "" },
    { key: "TARGETSTAGE", value: targetStage === "" ? "default" : targetStage },
  ];
}

const proxyNames = new Set(["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"]);

/** Proxy settings reach RUN without ARG, and stay out of the cache and the history. */
export function isProxyArg(name: string): boolean {
  return proxyNames.has(name.toUpperCase()) && (name === name.toUpperCase() || name === name.toLowerCase());
}
