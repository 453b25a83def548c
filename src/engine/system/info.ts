/** `info`: Docker's keys where they mean something here, in Docker's order. */
import { readFileSync } from "node:fs";
import { availableParallelism, hostname, machine, release, totalmem } from "node:os";
import { cgroupKind, type CgroupKind } from "../../runtime/cgroups.ts";
import { findProgram } from "../../runtime/programs.ts";
import type { Store } from "../../store/index.ts";
import { containerRecords, isRunning } from "../images/container-users.ts";
import { standingImages } from "../images/variants.ts";
import { registryConfig } from "./registries.ts";
import { packageVersion } from "./version.ts";

/** Docker knows 1 and 2: a hybrid machine's controllers are those of version 1. */
const cgroupVersions: Readonly<Record<CgroupKind, string>> = { v1: "1", hybrid: "1", v2: "2", none: "" };

export async function systemInfo(store: Store): Promise<Readonly<Record<string, unknown>>> {
  const records = containerRecords(store);
  const running = records.filter(isRunning);
  const paused = running.filter(({ state }) => state.status === "paused").length;
  const runtimes = ["crun", "runc"].filter((name) => findProgram(name) !== undefined);
  return {
    Containers: records.length,
    ContainersRunning: running.length - paused,
    ContainersPaused: paused,
    ContainersStopped: records.length - running.length,
    Images: standingImages(store).length,
    ServerVersion: packageVersion(),
    Driver: "overlayfs",
    LoggingDriver: "json-file",
    CgroupDriver: "cgroupfs",
    CgroupVersion: cgroupVersions[cgroupKind()],
    Runtimes: Object.fromEntries(runtimes.map((name) => [name, { path: name }])),
    DefaultRuntime: runtimes[0] ?? "",
    SecurityOptions: ["name=seccomp,profile=builtin", ...(store.ownership.privileged ? [] : ["name=rootless"])],
    KernelVersion: release(),
    OperatingSystem: operatingSystem(readText("/etc/os-release")),
    OSType: "linux",
    Architecture: machine(),
    NCPU: availableParallelism(),
    MemTotal: totalmem(),
    Name: hostname(),
    DockerRootDir: store.layout.root,
    RegistryConfig: await registryConfig(),
  };
}

/** PRETTY_NAME of os-release(5). */
export function operatingSystem(osRelease: string): string {
  const value = /^PRETTY_NAME=(.*)$/m.exec(osRelease)?.[1] ?? "";
  return value.replace(/^(["'])(.*)\1$/, "$2") || "Linux";
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
