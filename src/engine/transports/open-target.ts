/** From a location to the target that it means. */
import { resolve } from "node:path";
import { formatReference, parseReference, withDefaultTag } from "../../oci/reference.ts";
import { notInPlace } from "./image-source.ts";
import type { ImageTarget } from "./image-target.ts";
import type { Location } from "./location.ts";
import type { Surroundings } from "./open-source.ts";

function fullName(text: string): string {
  return formatReference(withDefaultTag(parseReference(text)));
}

/** A name without a place is a registry's. Dispose what it answers: what is not complete then goes away. Fails as the places do. */
export async function openTarget(surroundings: Surroundings, location: Location): Promise<ImageTarget> {
  const { store, cwd, env, signal } = surroundings;
  switch (location.kind) {
    case "name":
    case "registry": {
      const { registryTarget } = await import("./registry-target.ts");
      const reference = location.kind === "registry" ? location.reference : withDefaultTag(parseReference(location.text));
      return registryTarget(await surroundings.client(), location.text, reference);
    }
    case "layout": {
      const { layoutTarget } = await import("./layout-target.ts");
      return layoutTarget(location.text, resolve(cwd, location.directory), location.name);
    }
    case "flat": {
      const { flatTarget } = await import("./flat-directory.ts");
      return flatTarget(location.text, resolve(cwd, location.directory));
    }
    case "archive": {
      const [{ archiveTarget }, { fileSink }] = await Promise.all([import("./archive-target.ts"), import("./archive-sinks.ts")]);
      const { format, name } = location;
      const names = name === undefined ? [] : [format === "docker" ? fullName(name) : name];
      return archiveTarget(location.text, await fileSink(resolve(cwd, location.file)), { format, names });
    }
    case "files":
      throw notInPlace(location.text, "images are not written as plain files; want dir: or oci:");
    case "ssh": {
      const { sshTarget } = await import("./ssh-target.ts");
      return sshTarget(location.text, location.address, fullName(location.name), env, signal);
    }
    case "daemon": {
      const { daemonTarget } = await import("./daemon-target.ts");
      return daemonTarget(location.text, fullName(location.name), env["DOCKER_HOST"], signal);
    }
    case "store": {
      const { storeTarget } = await import("./store-target.ts");
      return storeTarget(store, location.text, fullName(location.name), signal);
    }
  }
}
