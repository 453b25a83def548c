/** A task's progress on standard error until its result is there. */
import { isSlipwayError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import type { CheckError, Task } from "../../engine/api.ts";
import type { Cli } from "../cli.ts";
import { createRenderer, type ProgressMode } from "../progress/create-renderer.ts";
import type { Renderer } from "../progress/renderer.ts";

export interface TaskDisplay {
  readonly mode: ProgressMode;
  /** warnings with their details */
  readonly expandWarnings: boolean;
}

export async function showTask<Result>(cli: Cli, task: Task<Result>, { mode, expandWarnings }: TaskDisplay): Promise<Result> {
  // thrown below, after the last event
  task.result.catch(() => undefined);
  if (cli.renderer !== undefined) return await feed(task, cli.renderer);
  const renderer = await createRenderer({ mode, cli, expandWarnings });
  try {
    return await feed(task, renderer);
  } catch (error) {
    renderer.finish();
    writeExcerpt(cli, error);
    throw error;
  } finally {
    renderer.finish();
  }
}

async function feed<Result>(task: Task<Result>, renderer: Renderer): Promise<Result> {
  for await (const event of task) renderer.push(event);
  return await task.result;
}

/**
 * The step's place in the Dockerfile, where the engine names it; below the display, above the ERROR line. What else is wrong
 * with the file stands before it, so that the end is what Docker prints.
 */
export function writeExcerpt(cli: Cli, error: unknown): void {
  if (!isSlipwayError(error) || error.kind === "canceled") return;
  const { excerpt, also } = error.details;
  for (const fault of Array.isArray(also) ? also : []) {
    if (isFurtherFault(fault)) cli.stderr.write(`${printable(fault.excerpt)}\nalso: ${printable(fault.message)}\n\n`);
  }
  if (typeof excerpt === "string" && excerpt !== "") cli.stderr.write(excerpt.endsWith("\n") ? excerpt : `${excerpt}\n`);
}

function isFurtherFault(fault: unknown): fault is CheckError["also"][number] {
  return typeof fault === "object" && fault !== null && "message" in fault && "excerpt" in fault && typeof fault.excerpt === "string";
}
