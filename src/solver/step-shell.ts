/** Which program takes commands in a step's state: the stage's shell, else /bin/sh, else a static busybox of this machine that is lent. */
import { closeSync, copyFileSync, fstatSync, mkdirSync, openSync, readSync, symlinkSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { SlipwayError } from "../base/errors.ts";
import { isStaticProgram } from "../runtime/elf.ts";
import { readProgramHeader, type CommandInRoot } from "../runtime/program-header.ts";
import { findPrograms, installCommand } from "../runtime/programs.ts";
import type { SpecMount } from "../runtime/spec-options.ts";

export interface StepShell {
  readonly args: readonly string[];
  readonly env: readonly string[];
  /** what the shell lies in where it is lent */
  readonly mounts: readonly SpecMount[];
}

/** Where the lent programs lie. */
const lentPath = "/.slipway";

export interface ShellRequest extends Omit<CommandInRoot, "args"> {
  /** of the stage: `["/bin/sh", "-c"]` */
  readonly shell: readonly string[];
  /** take the lent one in any case */
  readonly lend: boolean;
  /** an empty directory */
  readonly scratch: string;
}

/** Fails with BUSYBOX_MISSING (failed_precondition) where the image has no shell and this machine none to lend. */
export function chooseShell(request: ShellRequest): StepShell {
  const own = request.shell.at(-1) === "-c" ? request.shell.slice(0, -1) : request.shell;
  for (const args of request.lend ? [] : [own, ["/bin/sh"]]) {
    if (args.length > 0 && readProgramHeader({ ...request, args }).length > 0) return { args, env: request.env, mounts: [] };
  }
  return lendBusybox(request);
}

/** Its commands stand last on PATH: the image's own come first. */
export function lendBusybox({ env, scratch }: Pick<ShellRequest, "env" | "scratch">): StepShell {
  const busybox = findPrograms("busybox").find(isStaticFile);
  if (busybox === undefined) {
    const install = installCommand("busybox");
    throw new SlipwayError("failed_precondition", "BUSYBOX_MISSING", "the image has no shell, and this machine has no static busybox that could be lent", {
      install,
      remedy: install,
      bare: true,
    });
  }
  const directory = join(scratch, "lent");
  mkdirSync(directory, { mode: 0o755 });
  copyFileSync(busybox, join(directory, "busybox"));
  const listed = spawnSync(busybox, ["--list"], { encoding: "utf8" }).stdout ?? "";
  for (const name of listed.split("\n")) if (/^[\w[.+-]+$/.test(name) && name !== "busybox") symlinkSync("busybox", join(directory, name));
  const path = env.findLast((entry) => entry.startsWith("PATH="))?.slice("PATH=".length);
  const others = env.filter((entry) => !entry.startsWith("PATH="));
  return {
    args: [`${lentPath}/busybox`, "sh"],
    env: [...others, `PATH=${path === undefined || path === "" ? lentPath : `${path}:${lentPath}`}`],
    mounts: [{ kind: "bind", source: directory, destination: lentPath, readOnly: true, sourceKind: "directory", options: ["nosuid", "nodev"] }],
  };
}

function isStaticFile(path: string): boolean {
  const fd = openSync(path, "r");
  try {
    if (!fstatSync(fd).isFile()) return false;
    const header = Buffer.alloc(4096);
    return isStaticProgram(header.subarray(0, readSync(fd, header, 0, header.length, 0)));
  } finally {
    closeSync(fd);
  }
}
