/** Our own form: all that is known of an image's packages, under the library's names. */
import { formatOrigin } from "../packages/image-inventory.ts";
import { timeOf, type Bill } from "./bill.ts";
import { purlOf } from "./purl.ts";
import { WrittenList } from "./written-list.ts";

/** To be written piece by piece. */
export function plainLists({ image, createdSeconds, tool }: Bill): object {
  const { kind = "image", name, id, manifest, platform, distribution, base, layers, packages, omissions } = image;
  return {
    schema: "slipway-sbom 1",
    created: timeOf(createdSeconds),
    tool,
    kind,
    image: { name, id, manifest, platform, distribution, base },
    layers: layers.map((layer) => ({ ...layer, origin: formatOrigin(layer) })),
    packages: new WrittenList(function* () {
      for (const { path, ...found } of packages) yield { ...found, purl: purlOf(found, distribution), path: `/${path}` };
    }),
    incomplete: omissions.map(({ path, layer, reason }) => ({ path: `/${path}`, layer, reason })),
  };
}
