/** What solving a vertex gives: layers, or a tree that a client handed in. */
import type { Chain } from "../store/index.ts";
import type { SourceTree } from "./selection.ts";

export type Result =
  | { readonly kind: "layers"; readonly chain: Chain; /** when the newest layer was made, milliseconds */ readonly createdMs: number }
  | { readonly kind: "tree"; readonly tree: SourceTree; /** the directory, for bind mounts */ readonly root: string };
