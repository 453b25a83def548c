/**
 * crun or runc, and how they are called here. crun is four times faster, but refuses machines with cgroup version 1 in hybrid mode
 * ("cgroups in hybrid mode not supported") and those without any ("invalid file system type"); it works there once what it does not
 * like is covered with an empty directory in our private mount namespace.
 */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { SlipwayError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";
import { enterPrivateMountNamespace, mountTmpfs } from "../store/overlay.ts";
import { capabilitiesOfMask } from "./capabilities.ts";
import { cgroupKind, cgroupsWritable, insideUserNamespace, sharedDeviceCgroup, type CgroupKind } from "./cgroups.ts";
import { findProgram, installCommand } from "./programs.ts";
import type { SpecMachine } from "./spec-options.ts";

export interface OciRuntime {
  readonly name: "crun" | "runc";
  readonly path: string;
  readonly cgroups: CgroupKind;
  /** a cgroup for each container can be made */
  readonly canLimit: boolean;
  /** file through which steps join a cgroup that guards devices */
  readonly deviceCgroup: string | undefined;
  readonly rootless: boolean;
  readonly singleId: boolean;
  readonly capabilities: readonly string[];
}

let prepared: OciRuntime | undefined;

/** SLIPWAY_RUNTIME=runc (or crun) overrides the choice. */
const preferenceVariable = "SLIPWAY_RUNTIME";

/**
 * Chooses the runtime and prepares this process for it, once: the process gets a private mount namespace where crun needs one.
 * Costs well under a millisecond after the first call. RUNTIME_MISSING (failed_precondition) when there is neither.
 */
export function prepareRuntime(): OciRuntime {
  prepared ??= chooseRuntime();
  return prepared;
}

function chooseRuntime(): OciRuntime {
  const kind = cgroupKind();
  const rootless = insideUserNamespace();
  const preferred = process.env[preferenceVariable];
  const crun = preferred === "runc" ? undefined : findProgram("crun");
  const runc = preferred === "crun" ? undefined : findProgram("runc");
  const facts = {
    cgroups: kind,
    canLimit: cgroupsWritable(kind),
    deviceCgroup: sharedDeviceCgroup(kind),
    rootless,
    singleId: rootless && hasSingleId(),
    capabilities: ownCapabilities(),
  };
  if (crun !== undefined && (coverForCrun(kind) || runc === undefined)) return { name: "crun", path: crun, ...facts };
  if (runc !== undefined) return { name: "runc", path: runc, ...facts };
  throw new SlipwayError(
    "failed_precondition",
    "RUNTIME_MISSING",
    `running a process in an image needs crun (or runc), which is not installed; install it with: ${installCommand("crun")}`,
    {
      install: installCommand("crun"),
    },
  );
}

/** `--runtime`: "crun", "runc", Docker's name for its own, or the path of one of them. UNKNOWN_RUNTIME (invalid_argument) in Docker's words. */
export function namedRuntime(name: string): OciRuntime {
  const runtime = prepareRuntime();
  if (name === "" || name === "io.containerd.runc.v2") return runtime;
  const kind = /^(?:.*\/)?(crun|runc)$/.exec(name)?.[1] as OciRuntime["name"] | undefined;
  const path = kind === undefined ? undefined : name.startsWith("/") ? (existsSync(name) ? name : undefined) : name === kind ? findProgram(name) : undefined;
  if (kind === undefined || path === undefined)
    throw new SlipwayError("invalid_argument", "UNKNOWN_RUNTIME", printable(`unknown or invalid runtime name: ${name}`), { runtime: name });
  if (kind === "crun" && runtime.name === "runc") coverForCrun(runtime.cgroups);
  return { ...runtime, name: kind, path };
}

/** The runtime that made a container, which may be another than the one chosen now (installed later, or preferred). */
export function runtimeOf(record: { readonly runtimePath: string }): OciRuntime {
  const runtime = prepareRuntime();
  if (record.runtimePath === "" || record.runtimePath === runtime.path) return runtime;
  return { ...runtime, name: record.runtimePath.endsWith("/runc") ? "runc" : "crun", path: record.runtimePath };
}

/** Everything that the machine decides about a process, for createSpec(). */
export function specMachine(runtime: OciRuntime, kind: "step" | "container"): SpecMachine {
  return {
    arch: process.arch,
    rootless: runtime.rootless,
    cgroupMount: !runtime.rootless && runtime.cgroups !== "none",
    deviceCgroup: kind === "step" && runtime.deviceCgroup !== undefined,
    singleId: runtime.singleId,
    hostQueues: existsSync("/dev/mqueue"),
    capabilities: runtime.capabilities,
  };
}

export interface RuntimeCall {
  readonly file: string;
  readonly args: readonly string[];
}

/** `cgroups: false` keeps crun from making any; runc has no such switch and ignores it. */
export function runtimeCall(
  runtime: OciRuntime,
  options: { readonly root: string; readonly cgroups: boolean; readonly log?: string },
  args: readonly string[],
): RuntimeCall {
  return {
    file: runtime.path,
    args: [
      "--root",
      options.root,
      ...(options.log === undefined ? [] : ["--log", options.log, "--log-format", "json"]),
      ...(runtime.name === "crun" && !(options.cgroups && runtime.canLimit) ? ["--cgroup-manager=disabled"] : []),
      ...(runtime.name === "crun" && options.cgroups && runtime.canLimit ? ["--cgroup-manager=cgroupfs"] : []),
      ...args,
    ],
  };
}

/** false: crun would refuse this machine. */
function coverForCrun(kind: CgroupKind): boolean {
  if (kind !== "hybrid" && kind !== "none") return true;
  const groups = "/sys/fs/cgroup";
  try {
    enterPrivateMountNamespace();
    if (kind === "hybrid") mountTmpfs({ target: `${groups}/unified` });
    else if (existsSync(groups)) mountTmpfs({ target: groups });
    else coverSystem(groups);
    return true;
  } catch {
    return false;
  }
}

/** A /sys where nothing is mounted. */
function coverSystem(groups: string): void {
  mountTmpfs({ target: "/sys" });
  mkdirSync(groups, { recursive: true });
}

function hasSingleId(): boolean {
  const lines = readFileSync("/proc/self/uid_map", "utf8").trim().split("\n");
  return lines.length === 1 && /\s1$/.test(lines[0] ?? "");
}

function ownCapabilities(): string[] {
  const mask = /^CapBnd:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  return mask === undefined ? [] : capabilitiesOfMask(mask);
}
