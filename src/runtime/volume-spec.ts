/** `-v` as a value. @see docker run --volume */
import { isAbsolute, normalize, resolve } from "node:path";
import { SlipwayError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";

interface VolumeTarget {
  readonly destination: string;
  readonly readOnly: boolean;
  /** "z", "nocopy", "rshared" …, without ro and rw */
  readonly options: readonly string[];
}

export type VolumeSpec =
  | (VolumeTarget & { readonly kind: "bind"; readonly source: string })
  | (VolumeTarget & { readonly kind: "named"; readonly name: string })
  | (VolumeTarget & { readonly kind: "anonymous" });

/** At most one of each group, as Docker checks it. */
const optionGroups: readonly (readonly string[])[] = [["ro", "rw"], ["z", "Z"], ["nocopy"], ["private", "rprivate", "shared", "rshared", "slave", "rslave"]];

/** `workingDirectory` resolves "./x" and "." as Docker's command line does. INVALID_VOLUME in Docker's words. */
export function parseVolume(text: string, workingDirectory: string): VolumeSpec {
  const parts = text.split(":");
  if (text === "") throw invalidVolume("invalid empty volume spec");
  // what begins with a name is the daemon's to refuse, and it has other words
  const named = /^[^./~]/.test(text);
  if (parts.length > 3) throw invalidVolume(named ? `invalid volume specification: '${text}'` : `invalid spec: ${text}: too many colons`);
  if (parts.includes("")) throw invalidVolume(`invalid spec: ${text}: empty section between colons`);
  const [first = "", second, modeText] = parts;
  if (second === undefined) return { kind: "anonymous", destination: checkDestination(first, text, "volume"), readOnly: false, options: [] };
  const isPath = isAbsolute(first) || /^\.\.?(\/|$)/.test(first);
  const mode = parseMode(modeText, text, isPath);
  const destination = checkDestination(second, text, isPath ? "bind" : "volume");
  if (isPath) return { kind: "bind", source: resolve(workingDirectory, first), destination, ...mode };
  return { kind: "named", name: checkVolumeName(first), destination, ...mode };
}

/** INVALID_VOLUME unless the name is one that Docker accepts for a local volume. */
export function checkVolumeName(name: string): string {
  if (name.length === 1) throw invalidVolume("volume name is too short, names should be at least two alphanumeric characters");
  if (isVolumeName(name)) return name;
  throw invalidVolume(
    `create ${name}: "${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. ` +
      "If you intended to pass a host directory, use absolute path",
  );
}

export function isVolumeName(name: string): boolean {
  return /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name);
}

function parseMode(modeText: string | undefined, text: string, isPath: boolean): { readOnly: boolean; options: readonly string[] } {
  if (modeText === undefined) return { readOnly: false, options: [] };
  const words = modeText.split(",");
  for (const word of words) {
    const group = optionGroups.find((known) => known.includes(word));
    if (group === undefined || words.filter((other) => group.includes(other)).length > 1) throw invalidVolume(`invalid mode: ${modeText}`);
    if (!isPath && group.includes("shared")) {
      throw invalidVolume(`invalid volume specification: '${text}': invalid mount config for type "volume": field BindOptions must not be specified`);
    }
  }
  return { readOnly: words.includes("ro"), options: words.filter((word) => word !== "ro" && word !== "rw") };
}

function checkDestination(path: string, text: string, type: "bind" | "volume"): string {
  const prefix = `invalid volume specification: '${text}'`;
  if (!isAbsolute(path)) throw invalidVolume(`${prefix}: invalid mount config for type "${type}": invalid mount path: '${path}' mount path must be absolute`);
  const clean = normalize(path).replace(/(?<=.)\/+$/, "");
  if (clean === "/") throw invalidVolume(`${prefix}: invalid mount config for type "${type}": invalid specification: destination can't be '/'`);
  return clean;
}

function invalidVolume(message: string): SlipwayError {
  return new SlipwayError("invalid_argument", "INVALID_VOLUME", printable(message));
}
