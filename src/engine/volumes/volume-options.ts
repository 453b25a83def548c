/** What may be said of a new volume, checked in the words of Docker's local driver. */
import { randomBytes } from "node:crypto";
import { SlipwayError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import { isVolumeName } from "../../runtime/volume-spec.ts";
import type { VolumeOptions } from "../volumes-api.ts";
import { anonymousLabel, type VolumeRecord } from "./volume-store.ts";

export interface NewVolume extends Pick<VolumeRecord, "labels" | "options"> {
  readonly name: string;
}

/** INVALID_VOLUME (invalid_argument), VOLUME_DRIVER (not_found). */
export function newVolume({ name: given = "", driver = "local", driverOptions = {}, labels = {} }: VolumeOptions): NewVolume {
  const name = given === "" ? randomBytes(32).toString("hex") : given;
  if (driver !== "" && driver !== "local") throw unknownDriver(name, driver);
  checkName(name);
  checkDriverOptions(name, driverOptions);
  const all = given === "" ? { ...labels, [anonymousLabel]: "" } : labels;
  return { name, labels: Object.keys(all).length === 0 ? null : sorted(all), options: Object.keys(driverOptions).length === 0 ? null : sorted(driverOptions) };
}

function sorted(map: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(map).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function checkName(name: string): void {
  if (name.length === 1) throw invalid(name, "volume name is too short, names should be at least two alphanumeric characters");
  if (isVolumeName(name)) return;
  throw invalid(
    name,
    `"${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. ` +
      "If you intended to pass a host directory, use absolute path",
  );
}

function checkDriverOptions(name: string, options: Readonly<Record<string, string>>): void {
  for (const key of Object.keys(options)) if (!["type", "device", "o"].includes(key)) throw invalid(name, `invalid option: "${key}"`);
  if (Object.keys(options).length === 0) return;
  for (const key of ["device", "type"]) if ((options[key] ?? "") === "") throw invalid(name, `missing required option: "${key}"`);
}

function invalid(name: string, reason: string): SlipwayError {
  return new SlipwayError("invalid_argument", "INVALID_VOLUME", printable(`create ${name}: ${reason}`), { volume: name });
}

export function unknownDriver(name: string, driver: string): SlipwayError {
  const message = `create ${name}: error looking up volume plugin ${driver}: plugin "${driver}" not found`;
  return new SlipwayError("not_found", "VOLUME_DRIVER", printable(message), { volume: name, driver, remedy: "use the driver local" });
}
