/** What a container's status means. Pure. */
import type { ContainerState } from "./container-records.ts";

/** Its processes are there, held or not. */
export function isUp({ status }: Pick<ContainerState, "status">): boolean {
  return status === "running" || status === "paused";
}
