/** A directory of files that is no image, a project or a root file system, looked into as if it were an image of one layer. */
import { lstatSync, readdirSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { errnoOf } from "../../base/errors.ts";
import { digestOf } from "../../oci/digest.ts";
import { LayerCollector } from "../../trust/packages/layer-collector.ts";
import { formatLayerInventory } from "../../trust/packages/layer-inventory.ts";
import { nodeAt } from "../../store/directory-view.ts";
import { notInPlace } from "../transports/image-source.ts";
import type { Surroundings } from "../transports/open-source.ts";
import type { OpenedImage } from "./open-image.ts";
import { readFile, type LayerVisitor } from "./read-layer.ts";

/** Fails with IMAGE_NOT_IN_PLACE (not_found). */
export function openDirectory({ cwd, signal }: Surroundings, text: string, directory: string): OpenedImage {
  const root = resolve(cwd, directory);
  if (statSync(root, { throwIfNoEntry: false })?.isDirectory() !== true) throw notInPlace(text, "there is no such directory");
  const collector = new LayerCollector();
  visitFiles(root, collector, { leftOut: (path, reason) => collector.leftOut(path, reason), signal });
  const inventory = collector.finish();
  const id = digestOf(formatLayerInventory(inventory));
  return {
    kind: "files",
    name: basename(root) || "/",
    id,
    manifest: undefined,
    config: { architecture: "", os: "", config: {}, rootfs: { type: "layers", diff_ids: [id] } },
    diffIds: [id],
    reference: undefined,
    claimedBases: async () => [],
    inventories: async () => [inventory],
    visit: async (_, visitor) => visitFiles(root, visitor, { leftOut: () => {}, signal }),
    [Symbol.asyncDispose]: async () => {},
  };
}

interface Visit {
  readonly leftOut: (path: string, reason: string) => void;
  readonly signal: AbortSignal | undefined;
}

/** Links are not followed, other file systems not entered: /proc and its like are no files of anybody. */
function visitFiles(root: string, visitor: LayerVisitor, { leftOut, signal }: Visit): void {
  const device = lstatSync(join(root, "/")).dev;
  const attempt = (path: string, work: () => void): void => {
    try {
      work();
    } catch (error) {
      signal?.throwIfAborted();
      // it went while it was looked for
      if (errnoOf(error) !== "ENOENT") leftOut(path, error instanceof Error ? error.message : String(error));
    }
  };
  const visit = (parent: string): void => {
    signal?.throwIfAborted();
    for (const name of readdirSync(join(root, parent)).sort()) {
      const path = parent === "" ? name : `${parent}/${name}`;
      attempt(path, () => {
        const node = nodeAt(join(root, path));
        if (node === undefined) return;
        const wanted = visitor.seen(path, node);
        if (wanted !== "nothing") readFile(visitor, path, join(root, path), wanted);
        if (node.type !== "directory") return;
        if (lstatSync(join(root, path)).dev === device) visit(path);
        else leftOut(path, "another file system is mounted there");
      });
    }
  };
  attempt("", () => visit(""));
}
