/** `--mount` as a value: what the daemon would check, in its words. Pure. */
import { isAbsolute, normalize } from "node:path";
import { SlipwayError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import type { MountOption } from "../container-api.ts";
import { anonymousLabel } from "../volumes/volume-store.ts";

const propagations = ["private", "rprivate", "shared", "rshared", "slave", "rslave"];

/** INVALID_VOLUME (invalid_argument). */
export function checkMount(mount: MountOption): MountOption {
  const { type, source = "", target } = mount;
  if (type === "bind") {
    if (source === "") throw invalid(type, "field Source must not be empty");
    checkTarget(type, target);
    if (!isAbsolute(source)) throw invalid(type, `invalid mount path: '${source}' mount path must be absolute`);
    const propagation = mount.propagation ?? "";
    if (propagation !== "" && !propagations.includes(propagation)) throw invalid(type, `invalid propagation mode: ${propagation}`);
  } else if (type === "volume") {
    checkTarget(type, target);
    if (source === "" && mount.readOnly === true) throw invalid(type, "must not set ReadOnly mode when using anonymous volumes");
  } else if (type === "tmpfs") {
    if (source !== "") throw invalid(type, "field Source must not be specified");
    checkTarget(type, target);
  } else throw invalid(type, "mount type unknown");
  return { ...mount, target: normalize(target).replace(/(?<=.)\/+$/, "") };
}

function checkTarget(type: string, target: string): void {
  if (!isAbsolute(target)) throw invalid(type, `invalid mount path: '${target}' mount path must be absolute`);
  if (normalize(target).replace(/\/+$/, "") === "") throw invalid(type, "invalid specification: destination can't be '/'");
}

export function invalid(type: string, reason: string): SlipwayError {
  return new SlipwayError("invalid_argument", "INVALID_VOLUME", printable(`invalid mount config for type "${type}": ${reason}`), { type });
}

/** As HostConfig.Mounts shows it. Pure. */
export function mountRequest(mount: MountOption): Readonly<Record<string, unknown>> {
  const { type, source = "", target } = mount;
  const labels = source === "" && type === "volume" && mount.volumeLabels !== undefined ? { [anonymousLabel]: "", ...mount.volumeLabels } : mount.volumeLabels;
  const driver = {
    ...(mount.volumeDriver === undefined ? {} : { Name: mount.volumeDriver }),
    ...(mount.volumeOptions === undefined ? {} : { Options: mount.volumeOptions }),
  };
  const volume = {
    ...(mount.noCopy === true ? { NoCopy: true } : {}),
    ...(labels === undefined ? {} : { Labels: labels }),
    ...(mount.volumeSubpath === undefined ? {} : { Subpath: mount.volumeSubpath }),
    ...(labels === undefined && Object.keys(driver).length === 0 ? {} : { DriverConfig: driver }),
  };
  const tmpfs = {
    ...(mount.tmpfsBytes === undefined ? {} : { SizeBytes: mount.tmpfsBytes }),
    ...(mount.tmpfsMode === undefined ? {} : { Mode: mount.tmpfsMode }),
  };
  const bind = {
    ...(mount.propagation === undefined ? {} : { Propagation: mount.propagation }),
    ...(mount.nonRecursive === true ? { NonRecursive: true } : {}),
  };
  const part = (name: string, value: object): object => (Object.keys(value).length === 0 ? {} : { [name]: value });
  return {
    Type: type,
    ...(source === "" ? {} : { Source: source }),
    Target: target,
    ...(mount.readOnly === true ? { ReadOnly: true } : {}),
    ...(mount.consistency === undefined ? {} : { Consistency: mount.consistency }),
    ...part("BindOptions", bind),
    ...part("VolumeOptions", volume),
    ...part("TmpfsOptions", tmpfs),
  };
}
