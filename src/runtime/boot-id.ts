/** Which boot of the machine this is: process ids of another one mean nothing. */
import { readFileSync } from "node:fs";

let known: string | undefined;

/** "" where the kernel does not say. @see random(4) */
export function bootId(): string {
  known ??= read();
  return known;
}

function read(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "";
  }
}
