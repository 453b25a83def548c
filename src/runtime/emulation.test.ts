/** Programs of other machines are made here, byte by byte; those that need an emulator say which one is missing. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { hostPlatform } from "../oci/platform.ts";
import { architectureOf, exitingProgram, probedArchitectures, probeExitCode } from "./elf.ts";
import { canRun, emulatedPlatforms, emulationRemedy, requireRunnable } from "./emulation.ts";
import { readProgramHeader } from "./program-header.ts";
import { temporaryDirectory } from "./test-machine.ts";

const host = hostPlatform().architecture;

async function foreignArchitectures(scratch: string): Promise<{ readonly missing: string | undefined; readonly works: string | undefined }> {
  const others = probedArchitectures.filter((architecture) => architecture !== host);
  const answers = await Promise.all(others.map(async (architecture) => [architecture, await canRun(architecture, scratch)] as const));
  return { missing: answers.find(([, answer]) => answer === "no")?.[0], works: answers.find(([, answer]) => answer === "yes")?.[0] };
}

function writeProgram(root: string, path: string, content: Uint8Array | string, mode = 0o755): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
  chmodSync(join(root, path), mode);
}

describe("programs", () => {
  for (const architecture of probedArchitectures)
    test(`of ${architecture} say so`, () => assert.equal(architectureOf(exitingProgram(architecture) ?? Buffer.alloc(0)), architecture));

  test("this machine's own runs", () => {
    using directory = temporaryDirectory();
    writeProgram(directory.path, "p", exitingProgram(host) ?? "");
    assert.equal(spawnSync(join(directory.path, "p")).status, probeExitCode);
  });

  test("what is none, or for a machine without a name here", () => {
    const alien = Buffer.from(exitingProgram("arm64") ?? "");
    alien.writeUInt16LE(9999, 18);
    for (const bytes of [Buffer.alloc(0), Buffer.from("#!/bin/sh\n"), Buffer.from("\x7fELF"), alien]) assert.equal(architectureOf(bytes), undefined);
    assert.equal(exitingProgram("pdp11"), undefined);
  });
});

describe("the program that a command starts", () => {
  const env = ["PATH=/usr/bin:/bin"];
  const cases: readonly {
    readonly name: string;
    readonly args: readonly string[];
    readonly cwd?: string;
    readonly mounts?: readonly string[];
    readonly want: string | undefined;
  }[] = [
    { name: "by its path", args: ["/bin/arm"], want: "arm" },
    { name: "on PATH, the first that can be executed", args: ["tool"], want: "s390x" },
    { name: "relative to the working directory", args: ["./arm"], cwd: "/bin", want: "arm" },
    { name: "behind links, which do not leave the root", args: ["/bin/link"], want: "arm" },
    { name: "a script's interpreter", args: ["/script", "x"], want: "arm" },
    { name: "an interpreter that is a script", args: ["/second"], want: "arm" },
    { name: "one that is not there", args: ["none"], want: undefined },
    { name: "a directory", args: ["/bin"], want: undefined },
    { name: "none at all", args: [], want: undefined },
    { name: "one that a mount may bring", args: ["/bin/arm"], mounts: ["/bin"], want: undefined },
    { name: "one earlier on PATH that a mount may bring", args: ["tool"], mounts: ["/usr"], want: undefined },
    { name: "one beside a mount", args: ["/bin/arm"], mounts: ["/bin/a", "/proc"], want: "arm" },
  ];
  for (const { name, args, cwd = "/", mounts = [], want } of cases) {
    test(name, () => {
      using directory = temporaryDirectory();
      const rootfs = directory.path;
      writeProgram(rootfs, "bin/arm", exitingProgram("arm") ?? "");
      writeProgram(rootfs, "usr/bin/tool", exitingProgram("arm") ?? "", 0o644);
      writeProgram(rootfs, "bin/tool", exitingProgram("s390x") ?? "");
      symlinkSync("../../../../bin/arm", join(rootfs, "bin/link"));
      writeProgram(rootfs, "script", "#! /bin/link -x\nhello\n");
      writeProgram(rootfs, "second", "#!/script\n");
      assert.equal(architectureOf(readProgramHeader({ rootfs, args, env, cwd, mounts: mounts.map((destination) => ({ destination })) })), want);
    });
  }
});

describe("running it", () => {
  const start = (rootfs: string, architecture: string): Promise<void> => {
    writeProgram(rootfs, "bin/p", exitingProgram(architecture) ?? "");
    return requireRunnable({ rootfs, args: ["p"], env: ["PATH=/bin"], cwd: "/", scratch: rootfs });
  };

  test("this machine's own, and what is no program, pass", async () => {
    using directory = temporaryDirectory();
    await start(directory.path, host);
    await requireRunnable({ rootfs: directory.path, args: ["none"], env: [], cwd: "/", scratch: directory.path });
  });

  test("one for a machine that nothing emulates is refused, with the way out", async (t) => {
    using directory = temporaryDirectory();
    const { missing } = await foreignArchitectures(directory.path);
    if (missing === undefined) return t.skip("every architecture runs here");
    await assert.rejects(start(directory.path, missing), (error: Error & { readonly code?: string; readonly details?: { readonly remedy?: string } }) => {
      assert.equal(error.code, "EMULATION_MISSING");
      assert.match(error.message, /^exec p: exec format error: it is a program for linux\/\S+; this machine is linux\/\S+ and has no emulator for it$/);
      assert.equal(error.details?.remedy, emulationRemedy());
      return true;
    });
  });

  test("one that runs here passes, and is listed", async (t) => {
    using directory = temporaryDirectory();
    const { works } = await foreignArchitectures(directory.path);
    if (works === undefined) return t.skip("no other architecture runs here");
    await start(directory.path, works);
    assert.ok((await emulatedPlatforms(directory.path)).some((platform) => platform.startsWith(`linux/${works}`)));
  });
});
