/** `system start`: what restart policies want, after a boot. */
import type { Handler } from "../command.ts";
import { debugLines, failureLine, remedyLine } from "../failure.ts";

export const runSystemStart: Handler = async (cli) => {
  const { containers } = await cli.open();
  const failed: string[] = [];
  for await (const { name, failure } of containers.startByPolicies()) {
    cli.signal.throwIfAborted();
    if (failure === undefined) {
      cli.stdout.write(`${name}\n`);
    } else {
      cli.stderr.write(`${failureLine(failure)}\n${remedyLine(failure)}${cli.debug ? debugLines(failure) : ""}`);
      failed.push(name);
    }
  }
  if (failed.length > 0) cli.stderr.write(`Error: failed to start containers: ${failed.join(", ")}\n`);
  return failed.length > 0 ? 1 : 0;
};
