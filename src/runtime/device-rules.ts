/** Which devices a container may open. Making any node is allowed, as in Docker: an image may hold them. @see cgroup-v1 devices.rst */
import type { OciDeviceRule } from "./oci-spec.ts";
import type { DeviceNode } from "./spec-options.ts";

/** null, zero, full, random, urandom, tty, console, ptmx */
const standard: readonly (readonly [number, number])[] = [
  [1, 3],
  [1, 5],
  [1, 7],
  [1, 8],
  [1, 9],
  [5, 0],
  [5, 1],
  [5, 2],
];

export function deviceRules(privileged: boolean, devices: readonly DeviceNode[], further: readonly OciDeviceRule[] = []): OciDeviceRule[] {
  if (privileged) return [{ allow: true, access: "rwm" }];
  return [
    { allow: false, access: "rwm" },
    { allow: true, type: "c", access: "m" },
    { allow: true, type: "b", access: "m" },
    ...standard.map(([major, minor]): OciDeviceRule => ({ allow: true, type: "c", major, minor, access: "rwm" })),
    // pseudo terminals
    { allow: true, type: "c", major: 136, access: "rwm" },
    ...devices.flatMap(({ type, major, minor, access = "rwm" }): OciDeviceRule[] => (type === "p" ? [] : [{ allow: true, type, major, minor, access }])),
    ...further,
  ];
}

/** The same rules as lines for the devices controller of cgroup v1; the first one goes to devices.deny, the others to devices.allow. */
export function deviceLines(rules: readonly OciDeviceRule[]): string[] {
  const number = (value: number | undefined): string => (value === undefined ? "*" : String(value));
  return rules.map((rule) => `${rule.type ?? "a"} ${number(rule.major)}:${number(rule.minor)} ${rule.access}`);
}
