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
    return await imageInventory(surroundings(options), image, options);
  };
  const carry = async (signal: AbortSignal | undefined) => ({ client: await client(), ...(signal === undefined ? {} : { signal }) });
  const advisories: PackagesApi["advisories"] = {
    status: async () => (await import("./advisories/status.ts")).currentStatus(store),
    import: async (paths, options) => await (await import("./advisories/advisories.ts")).importPaths(store, paths, options),
    export: async function* () {
      yield* (await import("./advisories/advisories.ts")).exportDatabase(store);
    },
    push: async (reference, options = {}) => await (await import("./advisories/advisories.ts")).push(store, reference, await carry(options.signal)),
    pull: async (reference, options = {}) =>
      await (await import("./advisories/advisories.ts")).pull(store, reference, await carry(options.signal), options.signers),
  };
  const sbomPieces: PackagesApi["sbomPieces"] = async function* (image, format, options = {}) {
    const { writeBill } = await import("./inventory/write-bill.ts");
    yield* writeBill(typeof image === "string" ? await inventory(image, options) : image, format, options.env ?? process.env);
  };
  return {
    scan: async (image, options = {}) => {
      const { scanImage } = await import("./scan/scan-image.ts");
      return await scanImage(surroundings(options), image, options);
    },
    report: async (result, format, { findings = result.findings, env = process.env } = {}) => {
      const { writeReport } = await import("./scan/write-report.ts");
      return await writeReport(result, format, findings, env);
    },
    vex: async (result, { env = process.env } = {}) => await (await import("./scan/write-report.ts")).writeVex(result, env),
    advisories,
    inventory,
    sbom: async (image, format, options = {}) => (await Array.fromAsync(sbomPieces(image, format, options))).join(""),
    sbomPieces,
  };
}
