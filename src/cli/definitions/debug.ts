/** Commands about steps of builds that failed. */
import type { Command } from "../command.ts";
import { flag, listFormatFlag } from "./flag.ts";

export const debugCommands: readonly Command[] = [
  {
    name: "debug",
    short: "Open a shell where a step of a build failed",
    long: `Opens a shell in the state in which a step of a build failed or was interrupted: its files, mounts, variables, user, directory and network. Without ID that is the last one. What the shell changes is thrown away when it ends, so that the state is the same the next time; its exit code is that of the command.\n\nWhere standard input is no terminal the shell reads commands from it. Secrets are not kept: give them again.\n\nSee docs/debug.md.`,
    usage: "[OPTIONS] [ID] [COMMAND] [ARG...]",
    flags: [
      flag("busybox", "", "bool", "Lend a shell and tools, also where the image has its own"),
      flag("secret", "", "stringArray", 'Secret of the step, given again (form: "id=name[,src=file|,env=NAME]")'),
      flag("ssh", "", "stringArray", 'SSH agent or keys of the step, given again (form: "default|<id>[=<socket>|<key>[,<key>]]")'),
    ],
    args: { min: 0 },
    paths: ["debug"],
    group: "plain",
    interspersed: false,
    examples: [
      { text: "Look around where the last build failed", command: "slipway debug" },
      { text: "Commands from a pipe, in the state of a step that is named", command: "echo 'ls -l /app; env' | slipway debug 3f9c1b7a2d44" },
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
    name: "rm",
    short: "Remove the kept state of steps",
    usage: "[OPTIONS] [ID...]",
    flags: [flag("all", "a", "bool", "All of them")],
    args: { min: 0 },
    paths: ["debug rm"],
    load: async () => (await import("../commands/debug.ts")).runDebugRm,
  },
];
