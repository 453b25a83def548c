/** An image at any place, opened for looking into its layers: by what is kept of them, or by reading them. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Digest } from "../../oci/digest.ts";
import type { ImageConfig } from "../../oci/image-config.ts";
import type { Reference } from "../../oci/reference.ts";
import type { Store } from "../../store/index.ts";
import type { LayerInventory } from "../../trust/packages/layer-inventory.ts";
import { chooseImage } from "../images/variants.ts";
import { parseLocation } from "../transports/location.ts";
import { settleName, type Surroundings } from "../transports/open-source.ts";
import { inventoriesOfChain } from "./layer-inventories.ts";
import type { LayerVisitor } from "./read-layer.ts";

export interface OpenedImage extends AsyncDisposable {
  /** a directory of files, and no image */
  readonly kind?: "files";
  /** as it was asked for */
  readonly name: string;
  /** the config's digest */
  readonly id: Digest;
  readonly manifest: Digest | undefined;
  readonly config: ImageConfig;
  readonly diffIds: readonly Digest[];
  /** where it is a registry's */
  readonly reference: Reference | undefined;
  /** see claimed-bases.ts */
  claimedBases(): Promise<readonly string[]>;
  inventories(): Promise<readonly LayerInventory[]>;
  /** Reads a layer whole. */
  visit(layer: number, visitor: LayerVisitor): Promise<void>;
}

/** Fails as openSource, and with NO_MATCHING_PLATFORM (not_found). */
export async function openImage(surroundings: Surroundings, image: string, platform?: string): Promise<OpenedImage> {
  const { store, signal } = surroundings;
  const location = settleName(surroundings, parseLocation(image));
  if (location.kind === "store") return openStored(store, image, chooseImage(store, location.name, platform).image, signal);
  // skopeo's `dir:` has a manifest, Syft's is any directory
  const isFlat = location.kind === "flat" && existsSync(resolve(surroundings.cwd, location.directory, "manifest.json"));
  if (location.kind === "files" || (location.kind === "flat" && !isFlat)) {
    return (await import("./open-directory.ts")).openDirectory(surroundings, image, location.directory);
  }
  const { openElsewhere } = await import("./open-elsewhere.ts");
  return await openElsewhere(surroundings, image, location, platform);
}

function openStored(store: Store, name: string, id: Digest, signal: AbortSignal | undefined): OpenedImage {
  const chain = store.images.chain(id);
  return {
    name,
    id,
    manifest: store.images.get(id)?.manifest,
    config: store.images.config(id),
    diffIds: chain,
    reference: undefined,
    // a scan of what is here asks nobody
    claimedBases: async () => [],
    inventories: async () => await inventoriesOfChain(store, chain, signal),
    visit: async (at, visitor) => {
      const { visitArchive, visitDirectory } = await import("./read-layer.ts");
      const directory = store.layers.directory(chain, at);
      const diffId = chain[at];
      if (directory !== undefined) visitDirectory(directory, visitor, signal);
      else if (diffId !== undefined) await visitArchive(store.materializer.tar(diffId), visitor, signal);
    },
    [Symbol.asyncDispose]: async () => {},
  };
}
