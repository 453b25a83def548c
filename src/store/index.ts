/** The store's public names for the folders above it. */
export { Store } from "./store.ts";
export { defaultRoot, layoutOf, type StoreLayout } from "./layout.ts";
export { chainId, emptyLayer, type Chain } from "./layers.ts";
export { hexOfKey, type CacheRecord, type RecordedConfig } from "./cache-records.ts";
export type { OpenCacheMount } from "./cache-mounts.ts";
export type { PartialBlob } from "./partial-blob.ts";
export type { BuildOrigin, ImageRecord } from "./images.ts";
export type { KeptStep, KeptSteps } from "./kept-steps.ts";
export type { IndexMember, IndexRecord } from "./image-indexes.ts";
export type { JournalFiles, StoreEvent } from "./event-journal.ts";
export { DirectoryView } from "./directory-view.ts";
export { emptyView, joinPath, parentOf, rootNode, type FileNode, type FileView } from "./file-view.ts";
export { MergedView, type LayerTree } from "./merged-view.ts";
export { treeSize, type Collected } from "./collect.ts";
