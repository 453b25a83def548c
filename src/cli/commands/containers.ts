/** `start`, `restart`, `stop`, `kill`, `pause`, `unpause`, `wait`, `rm`, `rename`: one thing done to each container that is named. */
import { printable } from "../../base/printable.ts";
import type { Handler } from "../command.ts";
import { cliError } from "../failure.ts";
import type { ParsedFlags } from "../flags.ts";
import { runStartAttached } from "./attach-command.ts";
import { forEachWord } from "./each.ts";

export const runStart: Handler = async (cli, invocation) => {
  const { flags, args } = invocation;
  if (flags.bool("attach") || flags.bool("interactive")) return runStartAttached(cli, invocation);
  const { containers } = await cli.open();
  const failed = await forEachWord(cli, args, async (name) => {
    await containers.start(name);
    cli.stdout.write(`${name}\n`);
  });
  if (failed.length > 0) cli.stderr.write(`Error: failed to start containers: ${failed.join(", ")}\n`);
  return failed.length > 0 ? 1 : 0;
};

function stopOptions(flags: ParsedFlags): { readonly timeoutSeconds?: number; readonly signal?: string } {
  const timeoutSeconds = flags.number("timeout") ?? flags.number("time");
  const signal = flags.optional("signal");
  return { ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }), ...(signal === undefined ? {} : { signal }) };
}

export const runStop: Handler = async (cli, { flags, args }) => {
  const { containers } = await cli.open();
  const failed = await forEachWord(cli, args, async (name) => {
    await containers.stop(name, stopOptions(flags));
    cli.stdout.write(`${name}\n`);
  });
  return failed.length > 0 ? 1 : 0;
};

export const runRestart: Handler = async (cli, { flags, args }) => {
  const { containers } = await cli.open();
  const failed = await forEachWord(cli, args, async (name) => {
    await containers.restart(name, stopOptions(flags));
    cli.stdout.write(`${name}\n`);
  });
  return failed.length > 0 ? 1 : 0;
};

export const runRename: Handler = async (cli, { args }) => {
  const [from = "", to = ""] = args;
  const { containers } = await cli.open();
  // Docker's client looks at them, too
  if (from.trim() === "" || to.trim() === "") throw cliError("Error: Neither old nor new names may be empty");
  const failed = await forEachWord(cli, [from], async () => await containers.rename(from, to));
  if (failed.length > 0) cli.stderr.write(`Error: failed to rename container named ${printable(from)}\n`);
  return failed.length > 0 ? 1 : 0;
};

export const runKill: Handler = async (cli, { flags, args }) => {
  const { containers } = await cli.open();
  const failed = await forEachWord(cli, args, async (name) => {
    await containers.kill(name, flags.optional("signal"));
    cli.stdout.write(`${name}\n`);
  });
  return failed.length > 0 ? 1 : 0;
};

export const runPause: Handler = async (cli, { args }) => {
  const { containers } = await cli.open();
  const failed = await forEachWord(cli, args, async (name) => {
    await containers.pause(name);
    cli.stdout.write(`${name}\n`);
  });
  return failed.length > 0 ? 1 : 0;
};

export const runUnpause: Handler = async (cli, { args }) => {
  const { containers } = await cli.open();
  const failed = await forEachWord(cli, args, async (name) => {
    await containers.unpause(name);
    cli.stdout.write(`${name}\n`);
  });
  return failed.length > 0 ? 1 : 0;
};

export const runWait: Handler = async (cli, { args }) => {
  const { containers } = await cli.open();
  const failed = await forEachWord(cli, args, async (name) => {
    cli.stdout.write(`${await containers.wait(name)}\n`);
  });
  return failed.length > 0 ? 1 : 0;
};

export const runRm: Handler = async (cli, { flags, args }) => {
  const { containers } = await cli.open();
  const force = flags.bool("force");
  const failed = await forEachWord(
    cli,
    args,
    async (name) => {
      await containers.remove(name, { force, volumes: flags.bool("volumes") });
      cli.stdout.write(`${name}\n`);
    },
    { forgive: (error) => force && error.kind === "not_found" },
  );
  return failed.length > 0 ? 1 : 0;
};
