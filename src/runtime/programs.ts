/** Finds the system's own parts on PATH; sbin is looked at even where PATH lacks it. */
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { SlipwayError } from "../base/errors.ts";

/** Program → Debian package; other distributions use the same names but for passt and uidmap. */
export const packageOf = {
  crun: "crun",
  runc: "runc",
  conmon: "conmon",
  catatonit: "catatonit",
  pasta: "passt",
  newuidmap: "uidmap",
  unshare: "util-linux",
  nsenter: "util-linux",
  ip: "iproute2",
  git: "git",
  busybox: "busybox-static",
  ps: "procps",
} as const;

export type Program = keyof typeof packageOf;

/** The path of an executable file of that name, undefined when there is none. */
export function findProgram(name: string, path = process.env["PATH"] ?? ""): string | undefined {
  return findPrograms(name, path)[0];
}

/** All of that name, in the order in which they are looked for. */
export function findPrograms(name: string, path = process.env["PATH"] ?? ""): readonly string[] {
  const directories = [...path.split(delimiter).filter((directory) => directory.startsWith("/")), "/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"];
  return directories.map((directory) => join(directory, name)).filter(isExecutable);
}

/** Fails with PROGRAM_MISSING (failed_precondition), naming the command that installs it. */
export function requireProgram(name: Program, neededFor: string): string {
  const path = findProgram(name);
  if (path !== undefined) return path;
  throw new SlipwayError(
    "failed_precondition",
    "PROGRAM_MISSING",
    `${neededFor} needs ${name}, which is not installed; install it with: ${installCommand(name)}`,
    {
      program: name,
      install: installCommand(name),
    },
  );
}

export function installCommand(name: Program): string {
  return `apt-get install -y ${packageOf[name]}`;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
