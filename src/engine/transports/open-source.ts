/** From a location to the source that it means. */
import { resolve } from "node:path";
import { parseReference } from "../../oci/reference.ts";
import type { RegistryClient } from "../../registry/index.ts";
import type { Store } from "../../store/index.ts";
import type { PolicyGate } from "../policy-gate.ts";
import { findImage } from "../image-names.ts";
import { notInPlace, type ImageSource } from "./image-source.ts";
import type { Location } from "./location.ts";
import { pathLocation } from "./path-location.ts";

export interface Surroundings {
  readonly store: Store;
  readonly client: () => Promise<RegistryClient>;
  /** what paths are relative to */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
  /** asked where a registry's image comes into the store */
  readonly gate?: PolicyGate;
}

/** A name without a place: the store's image, else the archive or layout at that path, else the registry's. */
export function settleName({ store, cwd }: Pick<Surroundings, "store" | "cwd">, location: Location): Exclude<Location, { kind: "name" }> {
  if (location.kind !== "name") return location;
  const { text } = location;
  if (findImage(store, text) !== undefined) return { kind: "store", text, name: text };
  const path = pathLocation(cwd, text);
  if (path !== undefined) return path;
  return { kind: "registry", text, reference: parseReference(text) };
}

/** `compressed`: layers of the store as registries take them. Dispose what it answers. Fails with IMAGE_NOT_IN_PLACE, NO_SUCH_IMAGE (not_found); a registry is first asked when the source is. */
export async function openSource(surroundings: Surroundings, named: Location, compressed = false): Promise<ImageSource> {
  const { store, client, cwd, env, signal } = surroundings;
  const location = settleName(surroundings, named);
  switch (location.kind) {
    case "registry": {
      const { registrySource } = await import("./registry-source.ts");
      return registrySource(await client(), location.reference);
    }
    case "store": {
      const { storeSource } = await import("./store-source.ts");
      return await storeSource(store, location.name, { compressed, signal });
    }
    case "layout": {
      const [{ directoryFiles }, { layoutSource }] = await Promise.all([import("./directory-files.ts"), import("./layout-source.ts")]);
      return await layoutSource(location.text, directoryFiles(resolve(cwd, location.directory)), location.name);
    }
    case "flat": {
      const { flatSource } = await import("./flat-directory.ts");
      return flatSource(location.text, resolve(cwd, location.directory));
    }
    case "archive": {
      const { archiveSource } = await import("./archive-source.ts");
      return await archiveSource(location.text, resolve(cwd, location.file), location.name, signal);
    }
    case "files":
      throw notInPlace(location.text, "it is a directory of files, and no image");
    case "ssh":
      throw notInPlace(location.text, "images are pushed over ssh, not fetched");
    case "daemon": {
      const { daemonSource } = await import("./daemon-source.ts");
      return await daemonSource(location.name, env["DOCKER_HOST"], signal);
    }
  }
}
