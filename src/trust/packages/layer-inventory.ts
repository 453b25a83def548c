/** What one layer says of packages, apart from any other layer: it depends on the layer's bytes alone, so it is kept by diffID. */
import type { Distribution, FoundPackage } from "./package.ts";
import { PathSet } from "./path-set.ts";

/** A file of the layer that says something. */
export interface LayerFile {
  readonly path: string;
  /** the distribution's package that it belongs to */
  readonly owner?: string;
  readonly packages?: readonly FoundPackage[];
  readonly distribution?: Distribution;
  readonly repositories?: readonly string[];
  readonly licences?: Readonly<Record<string, readonly string[]>>;
}

export interface LayerInventory {
  readonly files: readonly LayerFile[];
  /** directories of documents that are links to another package's: by the package's name */
  readonly documentLinks: Readonly<Record<string, string>>;
  /** paths of lower layers that this one removes */
  readonly removed: readonly string[];
  /** directories of which lower layers show nothing */
  readonly opaque: readonly string[];
  /** everything here that is no directory: it hides what lower layers have at and below its path */
  readonly paths: PathSet;
  readonly omitted: readonly { readonly path: string; readonly reason: string }[];
}

/** More than any image of use has, all layers together; a layer that would bring more is left out. */
export const maxPackagesOfImage = 250_000;

/** What is kept of an image's layers, bottom first. */
export class LayerInventories {
  readonly inventories: LayerInventory[] = [];
  #packages = 0;

  push(inventory: LayerInventory): void {
    const count = inventory.files.reduce((sum, { packages = [] }) => sum + packages.length, 0);
    if (this.#packages + count <= maxPackagesOfImage) {
      this.#packages += count;
      this.inventories.push(inventory);
      return;
    }
    const reason = `the ${count} packages of layer ${this.inventories.length + 1} are too many: at most ${maxPackagesOfImage} of an image are kept`;
    this.inventories.push({
      ...inventory,
      files: inventory.files.map((file) => ({ ...file, packages: [] })),
      omitted: [...inventory.omitted, { path: "", reason }],
    });
  }
}

/** Changes with whatever changes the meaning of what is kept, a reader's findings included. */
const inventoryFormat = "slipway-inventory 10";

export function formatLayerInventory({ paths, ...rest }: LayerInventory): string {
  return JSON.stringify({ format: inventoryFormat, ...rest, paths: paths.toText() });
}

/** undefined when the text is another version's, or damaged. It is our own file: no other checks. */
export function parseLayerInventory(text: string): LayerInventory | undefined {
  if (!text.startsWith(`{"format":${JSON.stringify(inventoryFormat)},`)) return undefined;
  try {
    const { files, documentLinks, removed, opaque, omitted, paths } = JSON.parse(text) as Omit<LayerInventory, "paths"> & { readonly paths: string };
    return { files, documentLinks, removed, opaque, omitted, paths: PathSet.fromText(paths) };
  } catch {
    return undefined;
  }
}
