/** Ends a process and waits until it is gone: what it held, ports above all, is free afterwards for whoever comes next. */
import { setTimeout as delay } from "node:timers/promises";
import { errnoOf } from "../base/errors.ts";
import { isAlive, type ProcessName } from "./live-process.ts";

/** A killed process dies when the machine finds time for it; one that the kernel holds is not waited for longer. */
const mostMs = 10_000;

/** Only if it is still the one of that start time. Does nothing when it has ended. */
export async function endProcess(known: ProcessName): Promise<void> {
  if (!isAlive(known)) return;
  try {
    process.kill(known.pid, "SIGKILL");
  } catch (error) {
    if (errnoOf(error) === "ESRCH") return;
    throw error;
  }
  for (const endMs = Date.now() + mostMs; isAlive(known) && Date.now() < endMs;) await delay(1);
}
