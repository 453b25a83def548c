/**
 * Programs for other machines: whether the kernel runs them here, by itself or through an emulator that binfmt_misc names. Found out
 * by running the smallest program for the architecture, in an empty root, as containers see it: what is listed somewhere does not count.
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, SlipwayError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";
import { formatPlatform, hostPlatform } from "../oci/platform.ts";
import { architectureOf, exitingProgram, probedArchitectures, probeExitCode } from "./elf.ts";
import { findProgram } from "./programs.ts";
import { readProgramHeader, type CommandInRoot } from "./program-header.ts";

/** "unknown": the probe itself was refused, by a file system that executes nothing for instance. */
export type Runnable = "yes" | "no" | "outside-containers" | "unknown";

const found = new Map<string, Promise<Runnable>>();

/** Asked once in a process. `scratch` is a directory in which files can be made. Cost of the first question: a process or two. */
export function canRun(architecture: string, scratch: string): Promise<Runnable> {
  if (architecture === hostPlatform().architecture) return Promise.resolve("yes");
  let answer = found.get(architecture);
  if (answer === undefined) {
    answer = probe(architecture, scratch);
    found.set(architecture, answer);
  }
  return answer;
}

async function probe(architecture: string, scratch: string): Promise<Runnable> {
  const program = exitingProgram(architecture);
  if (program === undefined) return "unknown";
  const root = mkdtempSync(join(scratch, "probe-"));
  try {
    const path = join(root, "probe");
    writeFileSync(path, program);
    chmodSync(path, 0o755);
    const direct = await exitOf(path, []);
    if (direct !== probeExitCode) return direct === undefined ? "unknown" : "no";
    const chroot = findProgram("chroot");
    const inside = chroot === undefined ? undefined : await exitOf(chroot, [root, "/probe"]);
    // 126 and 127 are chroot's words for a program that cannot be executed, or whose interpreter is not in the new root.
    return inside === 126 || inside === 127 ? "outside-containers" : "yes";
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** undefined: nobody knows. A program that the kernel refuses is a script to libuv, whose shell ends with a code of its own. */
function exitOf(file: string, args: readonly string[]): Promise<number | undefined> {
  const { execFile } = process.getBuiltinModule("node:child_process");
  return new Promise((resolve) => {
    execFile(file, [...args], { timeout: 10_000, killSignal: "SIGKILL" }, (error) => {
      if (error === null) resolve(0);
      else if (typeof error.code === "number") resolve(error.code);
      // ENOENT: the emulator that is registered is not there.
      else resolve(errnoOf(error) === "ENOENT" ? emulatorGone : undefined);
    });
  });
}

const emulatorGone = 127;

/** `linux/arm64` …: what this machine runs beside its own. */
export async function emulatedPlatforms(scratch: string): Promise<readonly string[]> {
  const others = probedArchitectures.filter((architecture) => architecture !== hostPlatform().architecture);
  const answers = await Promise.all(others.map(async (architecture) => ((await canRun(architecture, scratch)) === "yes" ? [platformName(architecture)] : [])));
  return answers.flat();
}

function platformName(architecture: string): string {
  return formatPlatform({ os: "linux", architecture, ...(architecture === "arm" ? { variant: "v7" } : {}) });
}

/** The one command that makes programs of other machines run. */
export function emulationRemedy(): string {
  const installed = findProgram("qemu-aarch64-static") !== undefined && findProgram("update-binfmts") !== undefined;
  return installed ? "update-binfmts --enable" : "apt-get install -y qemu-user-static binfmt-support";
}

export interface StartedProgram extends CommandInRoot {
  /** a directory in which files can be made */
  readonly scratch: string;
}

/**
 * Fails with EMULATION_MISSING (failed_precondition) when the program is for a machine that is not this one and nothing runs it. What
 * cannot be found or is no program is the runtime's to tell.
 */
export async function requireRunnable(program: StartedProgram): Promise<void> {
  const architecture = architectureOf(readProgramHeader(program));
  if (architecture === undefined) return;
  const answer = await canRun(architecture, program.scratch);
  if (answer === "no" || answer === "outside-containers") throw emulationMissing(program.args[0] ?? "", architecture, answer);
}

export function emulationMissing(program: string, architecture: string, answer: Runnable): SlipwayError {
  const platform = platformName(architecture);
  const why =
    answer === "outside-containers"
      ? `the emulator for it works outside containers only: it is registered without the flag F (fix binary)`
      : `this machine is ${formatPlatform(hostPlatform())} and has no emulator for it`;
  return new SlipwayError(
    "failed_precondition",
    "EMULATION_MISSING",
    printable(`exec ${program}: exec format error: it is a program for ${platform}; ${why}`),
    {
      program,
      platform,
      remedy: emulationRemedy(),
    },
  );
}
