/** Commands on several objects: go on after a failure, print each as it happens, end with 1 when one failed. */
import { asSlipwayError } from "../../base/errors.ts";
import type { SlipwayError } from "../../base/errors.ts";
import type { Cli } from "../cli.ts";
import { debugLines, failureLine, remedyLine } from "../failure.ts";

export interface EachOptions {
  /** failures that are printed, but do not count */
  readonly forgive?: (error: SlipwayError) => boolean;
}

/** Answers the words whose turn failed. */
export async function forEachWord(cli: Cli, words: readonly string[], act: (word: string) => unknown, options: EachOptions = {}): Promise<readonly string[]> {
  const failed: string[] = [];
  for (const word of words) {
    cli.signal.throwIfAborted();
    try {
      await act(word);
    } catch (thrown) {
      const error = asSlipwayError(thrown);
      if (error.kind === "canceled") throw error;
      cli.stderr.write(`${failureLine(error)}\n${remedyLine(error)}${cli.debug ? debugLines(thrown) : ""}`);
      if (options.forgive?.(error) !== true) failed.push(word);
    }
  }
  return failed;
}
