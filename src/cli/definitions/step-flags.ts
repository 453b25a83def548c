/** Flags of commands that build without making an image for others. */
import { buildFlags } from "./build.ts";

/** Those of `build` that its steps depend on. */
export const stepFlagNames: readonly string[] = [
  "add-host",
  "allow",
  "build-arg",
  "build-context",
  "cache-from",
  "file",
  "network",
  "no-cache",
  "no-cache-filter",
  "platform",
  "progress",
  "pull",
  "secret",
  "shm-size",
  "ssh",
  "target",
  "ulimit",
];
export const stepFlags = buildFlags.filter(({ name }) => stepFlagNames.includes(name));
