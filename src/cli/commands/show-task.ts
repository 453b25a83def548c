/** A task's progress on standard error until its result is there. */
import { isSlipwayError } from "../../base/errors.ts";
import type { Task } from "../../engine/api.ts";
import type { Cli } from "../cli.ts";
import { createRenderer, type ProgressMode } from "../progress/create-renderer.ts";

export interface TaskDisplay {
  readonly mode: ProgressMode;
  /** warnings with their details */
  readonly expandWarnings: boolean;
}

export async function showTask<Result>(cli: Cli, task: Task<Result>, { mode, expandWarnings }: TaskDisplay): Promise<Result> {
  // thrown below, after the last event
  task.result.catch(() => undefined);
  const renderer = await createRenderer({ mode, cli, expandWarnings });
  try {
    for await (const event of task) renderer.push(event);
    return await task.result;
  } catch (error) {
    renderer.finish();
    writeExcerpt(cli, error);
    throw error;
  } finally {
    renderer.finish();
  }
}

/** The step's place in the Dockerfile, where the engine names it; below the display, above the ERROR line. */
function writeExcerpt(cli: Cli, error: unknown): void {
  const excerpt = isSlipwayError(error) && error.kind !== "canceled" ? error.details["excerpt"] : undefined;
  if (typeof excerpt === "string" && excerpt !== "") cli.stderr.write(excerpt.endsWith("\n") ? excerpt : `${excerpt}\n`);
}
