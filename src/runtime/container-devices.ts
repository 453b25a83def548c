/** What a container finds in /dev besides the usual: the machine's devices that it was given, all of them where it is privileged. */
import { readdirSync, statSync, type Stats } from "node:fs";
import { join } from "node:path";
import { errnoOf, SlipwayError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";
import type { OciDeviceRule } from "./oci-spec.ts";
import type { DeviceNode, SpecMount } from "./spec-options.ts";

export interface DeviceRequest {
  readonly host: string;
  readonly container: string;
  /** of r, w, m */
  readonly permissions: string;
}

/** DEVICE_UNUSABLE (failed_precondition) in Docker's words. */
export function requestedDevices(requests: readonly DeviceRequest[]): readonly DeviceNode[] {
  return requests.flatMap(({ host, container, permissions }) => {
    const found = statOf(host);
    if (found.isDirectory()) return devicesIn(host, container).map((node) => ({ ...node, access: permissions }));
    const node = nodeFrom(found, container);
    if (node === undefined) throw unusable(host, "not a device node", 125);
    return [{ ...node, access: permissions }];
  });
}

/** Inside a user namespace nobody makes nodes: the machine's own is mounted. */
export function deviceMounts(requests: readonly DeviceRequest[]): readonly SpecMount[] {
  return requests.map(({ host, container, permissions }) => {
    const found = statOf(host);
    if (!found.isDirectory() && nodeFrom(found, container) === undefined) throw unusable(host, "not a device node", 125);
    const readOnly = !permissions.includes("w");
    const mount: SpecMount = { kind: "bind", source: host, destination: container, readOnly, sourceKind: found.isDirectory() ? "directory" : "file" };
    return mount;
  });
}

function statOf(path: string): Stats {
  try {
    return statSync(path);
  } catch (error) {
    throw unusable(path, errnoOf(error) === "ENOENT" ? "no such file or directory" : String(errnoOf(error)), 127);
  }
}

function unusable(path: string, reason: string, exitCode: number): SlipwayError {
  const message = `error gathering device information while adding custom device "${path}": ${reason}`;
  return new SlipwayError("failed_precondition", "DEVICE_UNUSABLE", printable(message), { device: path, exitCode });
}

function devicesIn(directory: string, target: string): readonly DeviceNode[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const [path, inside] = [join(directory, entry.name), join(target, entry.name)];
    if (entry.isDirectory()) return devicesIn(path, inside);
    return entry.isCharacterDevice() || entry.isBlockDevice() ? (nodeFrom(statOf(path), inside) ?? []) : [];
  });
}

/** Undefined for what is no device. */
export function nodeFrom(found: Stats, path: string): DeviceNode | undefined {
  if (!found.isCharacterDevice() && !found.isBlockDevice()) return undefined;
  const { rdev, mode, uid, gid } = found;
  const [major, minor] = [(rdev >> 8) & 0xfff, (rdev & 0xff) | ((rdev >> 12) & 0xfff00)];
  return { path, type: found.isBlockDevice() ? "b" : "c", major, minor, mode: mode & 0o7777, uid, gid };
}

const rulePattern = /^([abc]) (\d+|\*):(\d+|\*) ([rwm]{1,3})$/;

/** "c 1:3 rwm"; undefined for what is no rule. Pure. */
export function parseDeviceRule(text: string): OciDeviceRule | undefined {
  const [, type, major, minor, access] = rulePattern.exec(text) ?? [];
  if (access === undefined) return undefined;
  const kind = type === "b" || type === "c" ? { type } : {};
  return {
    allow: true,
    ...kind,
    ...(major === "*" ? {} : { major: Number(major) }),
    ...(minor === "*" ? {} : { minor: Number(minor) }),
    access,
  } as OciDeviceRule;
}
