/** Commands about steps of builds that failed. */
import type { Command } from "../command.ts";
import { flag, listFormatFlag } from "./flag.ts";
import { stepFlags } from "./build.ts";

export const debugCommands: readonly Command[] = [
  {
    name: "debug",
    short: "Open a shell where a step of a build failed",
    long: `Opens a shell in the state in which a step of a build failed or was interrupted: its files, mounts, variables, user, directory and network. Without ID that is the last one; FILE is one that "build --save-failed" or "debug save" wrote. What the shell changes is thrown away when it ends, so that the state is the same the next time; its exit code is that of the command.\n\nWhere standard input is no terminal the shell reads commands from it. Secrets are not kept: give them again.\n\nWith --at LINE the build of a context goes as far as that line of the Dockerfile, and the shell stands before it. With "build" and its words behind it a build runs, and the shell opens if a step fails: --on and --invoke are those of Docker's "buildx debug".\n\nSee docs/debug.md.`,
    usage: "[OPTIONS] [ID | FILE | --at LINE PATH | build ...] [COMMAND] [ARG...]",
    flags: [
      flag("busybox", "", "bool", "Lend a shell and tools, also where the image has its own"),
      flag("at", "", "int", "Build a context up to this line of its Dockerfile and open the shell there"),
      flag("invoke", "", "string", 'What runs instead of a shell when a build fails (form: "/bin/sh -x")'),
      flag("on", "", "string", 'When a build opens the shell ("error")', { default: '"error"', complete: ["error"] }),
      ...stepFlags,
    ],
    args: { min: 0 },
    paths: ["debug", "buildx debug"],
    group: "plain",
    interspersed: false,
    examples: [
      { text: "Look around where the last build failed", command: "slipway debug" },
      { text: "Commands from a pipe, in the state of a step that is named", command: "echo 'ls -l /app; env' | slipway debug 3f9c1b7a2d44" },
      { text: "A step that failed on another machine", command: "slipway debug failed.tar" },
      { text: "Before line 12 of a Dockerfile, whether it fails or not", command: "slipway debug --at 12 -f docker/Dockerfile ." },
      { text: "A shell as soon as a build fails", command: "slipway debug build -t myapp ." },
      { text: "One command", command: "slipway debug 3f9c1b7a2d44 cat /app/npm-debug.log" },
    ],
    load: async () => (await import("../commands/debug.ts")).runDebug,
  },
  {
    name: "ls",
    short: "List the steps whose state is kept",
    usage: "[OPTIONS]",
    flags: [listFormatFlag, flag("no-trunc", "", "bool", "Print ids in full"), flag("quiet", "q", "bool", "Print ids only")],
    args: { min: 0, max: 0 },
    paths: ["debug ls", "debug list"],
    load: async () => (await import("../commands/debug.ts")).runDebugLs,
  },
  {
    name: "save",
    short: "Save a failed step as a file that opens on another machine",
    long: "Saves the state of a failed step, without ID the last one, as a tar: `slipway debug FILE` opens it wherever Slipway is. Secrets are not in it; what the step had written and its variables are.",
    usage: "[OPTIONS] [ID]",
    flags: [flag("output", "o", "string", "Write to a file, instead of standard output", { complete: "file" })],
    args: { min: 0, max: 1 },
    paths: ["debug save"],
    load: async () => (await import("../commands/debug.ts")).runDebugSave,
  },
  {
    name: "rm",
    short: "Remove the kept state of steps",
    usage: "[OPTIONS] [ID...]",
    flags: [flag("all", "a", "bool", "All of them")],
    args: { min: 0 },
    paths: ["debug rm"],
    load: async () => (await import("../commands/debug.ts")).runDebugRm,
  },
];
