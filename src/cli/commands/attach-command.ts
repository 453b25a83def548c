/** `attach` and `start -a`: our terminal joined to a container that is there already. */
import type { SlipwayApi } from "../../engine/api.ts";
import { parseDetachKeys } from "../detach-keys.ts";
import type { Cli } from "../cli.ts";
import type { Handler, Invocation } from "../command.ts";
import { cliError } from "../failure.ts";
import { checkTerminal, leftByKeys, withAttached } from "./attach.ts";

interface Inspected {
  readonly State: { readonly Running: boolean; readonly Paused: boolean };
  readonly Config: { readonly Tty: boolean; readonly OpenStdin: boolean };
}

async function inspect(engine: SlipwayApi, container: string): Promise<Inspected> {
  return (await engine.containers.inspect(container)) as unknown as Inspected;
}

interface Choice {
  readonly start: boolean;
  readonly interactive: boolean;
  readonly tty: boolean;
  readonly signalProxy: boolean;
}

/** The exit code; undefined when the detach keys were typed. */
async function attachTo(cli: Cli, engine: SlipwayApi, { flags, args }: Invocation, choice: Choice): Promise<number | undefined> {
  checkTerminal(cli, choice);
  const attach = { ...choice, stdout: true, stderr: true, detachKeys: parseDetachKeys(flags.optional("detach-keys")) };
  const { exitCode } = await withAttached(cli, engine, attach, (streams) =>
    engine.containers.attach(args[0]!, streams, { start: choice.start, signal: cli.signal }),
  );
  return exitCode;
}

export const runAttach: Handler = async (cli, invocation) => {
  const { flags, args } = invocation;
  const engine = await cli.open();
  const { State, Config } = await inspect(engine, args[0]!);
  if (!State.Running && !State.Paused) throw cliError("You cannot attach to a stopped container, start it first");
  if (State.Paused) throw cliError("You cannot attach to a paused container, unpause it first");
  const interactive = Config.OpenStdin && !flags.bool("no-stdin");
  const exitCode = await attachTo(cli, engine, invocation, { start: false, interactive, tty: Config.Tty, signalProxy: flags.bool("sig-proxy") });
  if (exitCode === undefined) throw leftByKeys();
  return exitCode;
};

export const runStartAttached: Handler = async (cli, invocation) => {
  const { flags, args } = invocation;
  if (args.length > 1) throw cliError("you cannot start and attach multiple containers at once");
  const engine = await cli.open();
  const { Config } = await inspect(engine, args[0]!);
  const interactive = Config.OpenStdin && flags.bool("interactive");
  return (await attachTo(cli, engine, invocation, { start: true, interactive, tty: Config.Tty, signalProxy: true })) ?? 0;
};
