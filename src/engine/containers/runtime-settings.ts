/** What the OCI runtime is told besides: annotations, its own name, where the control group lies, and where logs go. Docker's checks and words. */
import { posix } from "node:path";
import { SlipwayError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import type { ContainerConfig } from "../../runtime/container-records.ts";
import { parseLogSettings } from "../../runtime/log-settings.ts";
import { namedRuntime } from "../../runtime/oci-runtime.ts";
import type { RunOptions } from "../api.ts";

type Settings = Pick<ContainerConfig, "annotations" | "cgroupParent" | "cgroupns" | "runtime" | "logging">;

/** Fails with UNKNOWN_RUNTIME, INVALID_ANNOTATION, INVALID_CGROUP, INVALID_LOG_SETTING (invalid_argument). */
export function runtimeSettings({ annotations = [], cgroupParent = "", cgroupns, runtime = "", logDriver = "", logOptions = [] }: RunOptions): Settings {
  const logging = parseLogSettings(logDriver, logOptions);
  if (runtime !== "") namedRuntime(runtime);
  return {
    ...(annotations.length === 0 ? {} : { annotations: Object.fromEntries(annotations.map(annotationOf)) }),
    ...(cgroupParent === "" ? {} : { cgroupParent: checkedParent(cgroupParent) }),
    ...(cgroupns === undefined ? {} : { cgroupns }),
    ...(runtime === "" ? {} : { runtime }),
    ...(logging === undefined ? {} : { logging }),
  };
}

/** One without a value has the empty one. */
function annotationOf(text: string): readonly [string, string] {
  const equals = text.indexOf("=");
  const [name, value] = equals < 0 ? [text, ""] : [text.slice(0, equals), text.slice(equals + 1)];
  if (name !== "") return [name, value];
  throw new SlipwayError("invalid_argument", "INVALID_ANNOTATION", "invalid Annotations: the empty string is not permitted as an annotation key");
}

/** Below the hierarchies' roots, whatever is written. */
function checkedParent(path: string): string {
  const absolute = posix.normalize(`/${path}`).replace(/(?<=.)\/$/, "");
  if (absolute !== "/" && !path.split("/").includes("..")) return absolute;
  throw new SlipwayError("invalid_argument", "INVALID_CGROUP", printable(`invalid cgroup parent: ${path}`), { cgroupParent: path });
}
