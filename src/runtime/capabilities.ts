/** Linux capabilities as Docker grants them. @see capabilities(7) */
import { SlipwayError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";

/** In the kernel's numbering: the index is the bit. */
export const allCapabilities = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_DAC_READ_SEARCH",
  "CAP_FOWNER",
  "CAP_FSETID",
  "CAP_KILL",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETPCAP",
  "CAP_LINUX_IMMUTABLE",
  "CAP_NET_BIND_SERVICE",
  "CAP_NET_BROADCAST",
  "CAP_NET_ADMIN",
  "CAP_NET_RAW",
  "CAP_IPC_LOCK",
  "CAP_IPC_OWNER",
  "CAP_SYS_MODULE",
  "CAP_SYS_RAWIO",
  "CAP_SYS_CHROOT",
  "CAP_SYS_PTRACE",
  "CAP_SYS_PACCT",
  "CAP_SYS_ADMIN",
  "CAP_SYS_BOOT",
  "CAP_SYS_NICE",
  "CAP_SYS_RESOURCE",
  "CAP_SYS_TIME",
  "CAP_SYS_TTY_CONFIG",
  "CAP_MKNOD",
  "CAP_LEASE",
  "CAP_AUDIT_WRITE",
  "CAP_AUDIT_CONTROL",
  "CAP_SETFCAP",
  "CAP_MAC_OVERRIDE",
  "CAP_MAC_ADMIN",
  "CAP_SYSLOG",
  "CAP_WAKE_ALARM",
  "CAP_BLOCK_SUSPEND",
  "CAP_AUDIT_READ",
  "CAP_PERFMON",
  "CAP_BPF",
  "CAP_CHECKPOINT_RESTORE",
] as const;

export const defaultCapabilities = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_FSETID",
  "CAP_FOWNER",
  "CAP_MKNOD",
  "CAP_NET_RAW",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETFCAP",
  "CAP_SETPCAP",
  "CAP_NET_BIND_SERVICE",
  "CAP_SYS_CHROOT",
  "CAP_KILL",
  "CAP_AUDIT_WRITE",
] as const;

export interface CapabilityChoice {
  readonly privileged?: boolean;
  readonly add?: readonly string[];
  readonly drop?: readonly string[];
  /** what this process itself may hand on (a confined root lacks some); absent: everything */
  readonly available?: readonly string[];
}

/** Names may lack CAP_ and be in any case; ALL is understood in both lists. INVALID_CAPABILITY for an unknown name. */
export function chooseCapabilities(choice: CapabilityChoice): string[] {
  const add = (choice.add ?? []).map((name) => parseCapability(name, "CapAdd"));
  const drop = (choice.drop ?? []).map((name) => parseCapability(name, "CapDrop"));
  const base: readonly string[] = choice.privileged === true || add.includes("ALL") ? allCapabilities : drop.includes("ALL") ? [] : defaultCapabilities;
  const wanted = [...new Set([...base, ...add.filter((name) => name !== "ALL")])];
  const kept = choice.privileged === true ? wanted : wanted.filter((name) => !drop.includes(name));
  return choice.available === undefined ? kept : kept.filter((name) => choice.available?.includes(name));
}

/** The names of the bits in a hexadecimal mask, as /proc/PID/status shows it. */
export function capabilitiesOfMask(mask: string): string[] {
  const bits = BigInt(`0x${mask.trim()}`);
  return allCapabilities.filter((_, bit) => ((bits >> BigInt(bit)) & 1n) === 1n);
}

function parseCapability(text: string, list: "CapAdd" | "CapDrop"): string {
  const upper = text.toUpperCase();
  if (upper === "ALL") return upper;
  const name = upper.startsWith("CAP_") ? upper : `CAP_${upper}`;
  if ((allCapabilities as readonly string[]).includes(name)) return name;
  throw new SlipwayError("invalid_argument", "INVALID_CAPABILITY", printable(`invalid ${list}: unknown capability: "${name}"`));
}
