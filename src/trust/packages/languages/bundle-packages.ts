/** The packages that went into one bundle, from the names of its sources. */
import { posix } from "node:path";
import { SlipwayError } from "../../../base/errors.ts";
import { isObject } from "../../../oci/bounded-json.ts";
import type { FoundPackage } from "../package.ts";
import { packageOfSource } from "./bundled-sources.ts";
import { licencesOf, readJson, stringOf, withLicences } from "./json-file.ts";

/** From the image's root. What is relative is so to `base`; what has a scheme of a bundler is of the project, which lies somewhere above. */
function placeOf(directory: string, base: string): string {
  const [, scheme, rest = directory] = /^([a-z][\w.+-]*):(?:\/\/[^/]*)?\/*(.*)$/is.exec(directory) ?? [];
  const isAbsolute = scheme === undefined ? directory.startsWith("/") : scheme.toLowerCase() === "file";
  return posix.join(isAbsolute ? "/" : `/${base}`, rest).slice(1);
}

const maxSources = 300_000;

export class BundlePackages {
  readonly #base: string;
  readonly #found = new Map<string, FoundPackage>();
  #sources = 0;

  /** `base`: the directory, from the root, that relative names are relative to. */
  constructor(base: string) {
    this.#base = base;
  }

  /** Fails with DOCUMENT_TOO_LARGE (resource_exhausted). `packageJson` is asked for a package's own package.json, where the bundle has its text. */
  add(source: string, packageJson?: () => string | undefined): void {
    if (++this.#sources > maxSources) {
      throw new SlipwayError("resource_exhausted", "DOCUMENT_TOO_LARGE", `the bundle names more than ${maxSources} sources`, { limit: maxSources });
    }
    const found = packageOfSource(source);
    if (found === undefined) return;
    const place = placeOf(found.directory, this.#base);
    const known = this.#found.get(place);
    if (known === undefined) this.#found.set(place, { type: "npm", name: found.name, version: found.version, bundled: place });
    if (found.file !== "package.json" || packageJson === undefined) return;
    const told = packageFrom(packageJson() ?? "");
    if (told !== undefined) this.#found.set(place, { ...told, bundled: place });
  }

  get packages(): readonly FoundPackage[] {
    return [...this.#found.values()];
  }
}

function packageFrom(text: string): FoundPackage | undefined {
  try {
    const root = readJson(Buffer.from(text), "package.json");
    const [name, version] = [stringOf(root["name"]), stringOf(root["version"])];
    if (!isObject(root) || name === undefined || version === undefined) return undefined;
    return { type: "npm", name, version, ...withLicences(licencesOf(root["license"] ?? root["licenses"])) };
  } catch {
    // what a bundler made of it; the package is known by its name
    return undefined;
  }
}
