/** `exec`: one more process in a running container. */
import type { Handler } from "../command.ts";
import { checkTerminal, leftByKeys, withAttached } from "./attach.ts";
import { parseDetachKeys } from "../detach-keys.ts";
import { readKeyValueFile } from "./key-value.ts";

export const runExec: Handler = async (cli, { flags, args }) => {
  const [container, ...command] = args;
  const tty = flags.bool("tty");
  const interactive = flags.bool("interactive");
  const detach = flags.bool("detach");
  const env = [...flags.list("env-file").flatMap((path) => readKeyValueFile(cli, path)), ...flags.list("env")];
  const detachKeys = parseDetachKeys(flags.optional("detach-keys"));
  if (!detach) checkTerminal(cli, { tty, interactive });
  const workdir = flags.optional("workdir");
  const user = flags.optional("user");
  const options = {
    command,
    env,
    tty,
    interactive,
    detach,
    privileged: flags.bool("privileged"),
    ...(workdir === undefined ? {} : { workdir }),
    ...(user === undefined ? {} : { user }),
  };
  const engine = await cli.open();
  if (detach) {
    await engine.containers.exec(container!, options);
    return 0;
  }
  const attach = { tty, interactive, stdout: true, stderr: true, signalProxy: false, detachKeys };
  const { exitCode } = await withAttached(cli, engine, attach, (streams) => engine.containers.exec(container!, options, streams));
  if (exitCode === undefined) throw leftByKeys();
  return exitCode;
};
