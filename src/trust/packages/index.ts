/** Package inventories of images: from the files of layers to packages with the layer that brought each. */
export type { Distribution, FoundPackage, ImagePackage, Inventory, Omission, PackageType } from "./package.ts";
export type { PieceReader } from "./elf-sections.ts";
export { LayerCollector, type SeenFile, type Wanted } from "./layer-collector.ts";
export { formatLayerInventory, parseLayerInventory, type LayerInventory } from "./layer-inventory.ts";
export { mergeLayers } from "./merge-layers.ts";
export { formatOrigin, type ImageInventory, type LayerOrigin } from "./image-inventory.ts";
