/** `--blkio-weight`, `--device-read-bps` and their kin: what a container may do with block devices. */
import { statSync, type Stats } from "node:fs";
import { errnoOf, SlipwayError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";
import { nodeFrom } from "./container-devices.ts";
import type { OciBlockIo, OciDeviceRate } from "./oci-spec.ts";

export interface DeviceRate {
  readonly path: string;
  /** bytes or operations each second */
  readonly rate: number;
}

export interface BlockLimits {
  /** 10 to 1000 */
  readonly weight?: number;
  readonly weightDevices?: readonly { readonly path: string; readonly weight: number }[];
  readonly readBps?: readonly DeviceRate[];
  readonly writeBps?: readonly DeviceRate[];
  readonly readIops?: readonly DeviceRate[];
  readonly writeIops?: readonly DeviceRate[];
}

/** DEVICE_UNUSABLE (failed_precondition) where a device is not there. */
export function blockIoOf(limits: BlockLimits): OciBlockIo {
  const rates = (name: keyof OciBlockIo, devices: readonly DeviceRate[] = []): Partial<OciBlockIo> =>
    devices.length === 0 ? {} : { [name]: devices.map(({ path, rate }): OciDeviceRate => ({ ...numbersOf(path), rate })) };
  const { weight, weightDevices = [] } = limits;
  return {
    ...(weight === undefined ? {} : { weight }),
    ...(weightDevices.length === 0 ? {} : { weightDevice: weightDevices.map((device) => ({ ...numbersOf(device.path), weight: device.weight })) }),
    ...rates("throttleReadBpsDevice", limits.readBps),
    ...rates("throttleWriteBpsDevice", limits.writeBps),
    ...rates("throttleReadIOPSDevice", limits.readIops),
    ...rates("throttleWriteIOPSDevice", limits.writeIops),
  };
}

function numbersOf(path: string): { readonly major: number; readonly minor: number } {
  const node = nodeFrom(statOf(path), path);
  if (node === undefined) throw unusable(path, "not a device node");
  return { major: node.major, minor: node.minor };
}

function statOf(path: string): Stats {
  try {
    return statSync(path);
  } catch (error) {
    throw unusable(path, errnoOf(error) === "ENOENT" ? "no such file or directory" : String(errnoOf(error)));
  }
}

function unusable(path: string, reason: string): SlipwayError {
  return new SlipwayError("failed_precondition", "DEVICE_UNUSABLE", printable(`cannot limit the device ${path}: ${reason}`), { device: path, exitCode: 125 });
}
