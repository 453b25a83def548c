import type { Command } from "./command.ts";

/** `slipway image ls [OPTIONS] [REPOSITORY[:TAG]]` */
export function usageLine(command: Command, path: string): string {
  return ["slipway", path, command.usage].filter((part) => part !== "").join(" ");
}
