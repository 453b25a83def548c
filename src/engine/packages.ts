/** The library's calls about what is in images, loaded when they are called. */
import type { RegistryClient } from "../registry/index.ts";
import type { Store } from "../store/index.ts";
import type { PackagesApi } from "./packages-api.ts";
import type { LocationOptions } from "./transfer-api.ts";
import type { Surroundings } from "./transports/open-source.ts";

export function createPackages(store: Store, client: () => Promise<RegistryClient>): PackagesApi {
  const surroundings = ({ cwd = process.cwd(), env = process.env, signal }: LocationOptions): Surroundings => ({
    store,
    client,
    cwd,
    env,
    ...(signal === undefined ? {} : { signal }),
  });
  const inventory: PackagesApi["inventory"] = async (image, options = {}) => {
    const { imageInventory } = await import("./inventory/image-inventory.ts");
    return await imageInventory(surroundings(options), image, options.platform);
  };
  return {
    inventory,
    sbom: async (image, format, options = {}) => {
      const { writeBill } = await import("./inventory/write-bill.ts");
      return writeBill(await inventory(image, options), format, options.env ?? process.env);
    },
  };
}
