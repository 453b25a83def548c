/** The platforms that a build is for, from what the caller wrote. Pure. */
import { SlipwayError } from "../../base/errors.ts";
import { booleanFromText } from "../../base/go-text.ts";
import { formatPlatform, hostPlatform, normalizePlatform, parsePlatform, type Platform } from "../../oci/platform.ts";
import type { BuildOptions } from "../api.ts";

export interface TargetPlatforms {
  /** each once */
  readonly platforms: readonly Platform[];
  /** the caller named one: the image says so whatever its base is for */
  readonly given: boolean;
  /** more than one was named, or BUILDKIT_MULTI_PLATFORM says so: the result is an index, names of steps begin with the platform */
  readonly several: boolean;
  /** those that were named twice */
  readonly repeated: readonly string[];
}

type Asked = Pick<BuildOptions, "platforms" | "outputs" | "buildArgs">;

/** Fails with INVALID_PLATFORM and INVALID_BUILD_ARG (invalid_argument), and with SEVERAL_PLATFORMS for an output that holds one image only. */
export function targetPlatforms({ platforms: words = [], outputs = [], buildArgs = {} }: Asked): TargetPlatforms {
  const texts = words.flatMap((word) => word.split(",")).filter((word) => word !== "");
  const named = texts.map((text) => (text === "local" ? hostPlatform() : normalizePlatform(parsePlatform(text))));
  const distinct = new Map(named.map((platform) => [formatPlatform(platform), platform]));
  const several = named.length > 1 || isIndexAsked(buildArgs["BUILDKIT_MULTI_PLATFORM"] ?? "");
  if (several && outputs.some((output) => output.type === "docker" && output.dest !== undefined)) {
    throw new SlipwayError("unsupported", "SEVERAL_PLATFORMS", "docker exporter does not support exporting manifest lists, use the oci exporter instead", {
      platforms: [...distinct.keys()],
    });
  }
  const repeated = named.map(formatPlatform).filter((text, index, all) => all.indexOf(text) < index);
  return { platforms: named.length === 0 ? [hostPlatform()] : [...distinct.values()], given: named.length > 0, several, repeated: [...new Set(repeated)] };
}

function isIndexAsked(text: string): boolean {
  const isAsked = text === "" ? false : booleanFromText(text);
  if (isAsked !== undefined) return isAsked;
  throw new SlipwayError("invalid_argument", "INVALID_BUILD_ARG", `invalid boolean value for multi-platform: ${text}`, { got: text });
}
