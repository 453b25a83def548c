/** What the tests of this folder share: a root file system made of busybox, and why a test cannot run here. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bindMount } from "../store/overlay.ts";
import type { ContainerHost, CreateContainerOptions } from "./container-host.ts";
import { createMemoryRecords } from "./memory-records.ts";
import { findProgram } from "./programs.ts";

const applets = [
  "sh",
  "cat",
  "echo",
  "env",
  "hostname",
  "httpd",
  "id",
  "kill",
  "ls",
  "mknod",
  "mount",
  "nc",
  "ping",
  "pwd",
  "sleep",
  "stty",
  "touch",
  "true",
  "unshare",
  "wget",
];

/** Undefined when tests that run processes can run; otherwise what they lack, for `skip`. */
export function whyNoContainers(programs: readonly string[] = []): string | undefined {
  if (process.geteuid?.() !== 0) return "needs root or a user namespace";
  const missing = ["busybox", "crun", ...programs].find((name) => findProgram(name) === undefined);
  return missing === undefined ? undefined : `needs ${missing}`;
}

export function temporaryDirectory(): { readonly path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), "slipway-rt-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }) };
}

export function createBusyboxRootfs(directory: string): string {
  for (const name of ["bin", "dev", "etc", "proc", "sys", "tmp", "root", "home/web"]) mkdirSync(join(directory, name), { recursive: true });
  cpSync(findProgram("busybox") ?? "", join(directory, "bin/busybox"));
  for (const applet of applets) symlinkSync("busybox", join(directory, "bin", applet));
  writeFileSync(join(directory, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1001::/home/web:/bin/sh\n");
  writeFileSync(join(directory, "etc/group"), "root:x:0:\nweb:x:1001:\nextra:x:500:web\n");
  return directory;
}

/** Containers whose root file system is the busybox one, shared and writable. */
export function createTestHost(directory: string): ContainerHost {
  const rootfs = createBusyboxRootfs(join(directory, "image"));
  return {
    records: createMemoryRecords(),
    runDirectory: join(directory, "run"),
    mountRootfs: (_, target) => bindMount({ source: rootfs, target }),
    onWarning: () => undefined,
  };
}

export function createOptions(
  directory: string,
  args: readonly string[],
  changes: { readonly name?: string; readonly ports?: CreateContainerOptions["ports"]; readonly config?: Partial<CreateContainerOptions["config"]> } = {},
): CreateContainerOptions {
  return {
    ...(changes.name === undefined ? {} : { name: changes.name }),
    imageId: "",
    imageName: "busybox",
    ports: changes.ports ?? [],
    labels: {},
    mounts: [],
    lowers: [],
    containersDirectory: join(directory, "containers"),
    config: {
      args,
      env: ["PATH=/bin"],
      cwd: "/",
      user: "",
      hostname: "",
      networkMode: "none",
      terminal: false,
      openStdin: false,
      removeOnExit: false,
      privileged: false,
      readonlyRoot: false,
      capAdd: [],
      capDrop: [],
      securityOptions: [],
      ulimits: [],
      limits: {},
      shmSizeBytes: 64 << 20,
      extraHosts: [],
      dns: [],
      dnsSearch: [],
      dnsOptions: [],
      stopSignal: "",
      stopTimeoutMs: 0,
      init: false,
      ...changes.config,
    },
  };
}
