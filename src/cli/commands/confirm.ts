/** The question before something is removed. */
import type { Cli } from "../cli.ts";

/** Reads one line of standard input; anything but y or Y is no, as is the end of the input. */
export async function confirm(cli: Cli, warning: string): Promise<boolean> {
  cli.stdout.write(`${warning} [y/N] `);
  let answer = "";
  for await (const chunk of cli.stdin.chunks) {
    answer += Buffer.from(chunk).toString();
    if (answer.includes("\n") || answer.length > 1024) break;
  }
  cli.stdin.close();
  return answer.split("\n")[0]!.trim().toLowerCase() === "y";
}
