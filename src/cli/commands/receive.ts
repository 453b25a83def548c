/** `__receive`: what runs at the other end of a push over ssh; its standard streams are the connection. */
import type { Handler } from "../command.ts";

export const runReceive: Handler = async (cli) => {
  const engine = await cli.open();
  await engine.transfer.receive(cli.stdin.chunks, async (line) => await cli.stdout.writeSlowly(Buffer.from(`${line}\n`)), { signal: cli.signal });
  return 0;
};
