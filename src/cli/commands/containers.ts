/** `start`, `stop`, `kill`, `wait`, `rm`: one thing done to each container that is named. */
import type { Handler } from "../command.ts";
import { forEachWord } from "./each.ts";

export const runStart: Handler = async (cli, { args }) => {
  const { containers } = await cli.open();
  const failed = await forEachWord(cli, args, async (name) => {
    await containers.start(name);
    cli.stdout.write(`${name}\n`);
  });
  if (failed.length > 0) cli.stderr.write(`Error: failed to start containers: ${failed.join(", ")}\n`);
  return failed.length > 0 ? 1 : 0;
};

export const runStop: Handler = async (cli, { flags, args }) => {
  const { containers } = await cli.open();
  const timeoutSeconds = flags.number("timeout") ?? flags.number("time");
  const signal = flags.optional("signal");
  const failed = await forEachWord(cli, args, async (name) => {
    await containers.stop(name, { ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }), ...(signal === undefined ? {} : { signal }) });
    cli.stdout.write(`${name}\n`);
  });
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
