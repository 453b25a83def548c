/** What a container changed of its image's files: its writable directory against the layers below. */
import { readdirSync } from "node:fs";
import type { ContainerRecord } from "../../../runtime/container-records.ts";
import { MergedView, type FileNode, type FileView } from "../../../store/index.ts";
import { DirectoryLayer } from "../../../store/layer-tree.ts";
import type { FileChange } from "../../api.ts";
import { compareFiles } from "../../files/compare-files.ts";

/** Sorted by path. Only what the container's own directory has is looked at: the layers below are not walked. */
export function containerChanges({ paths }: ContainerRecord): readonly FileChange[] {
  const below = paths.lowers.toReversed().map((directory) => new DirectoryLayer(directory));
  const upper = new DirectoryLayer(paths.upper);
  const before = new MergedView(below);
  const after = new MergedView([...below, upper]);
  const touched = (directory: string): ((name: string) => boolean) => {
    if (upper.isOpaque(directory)) return () => true;
    const names = new Set(upper.names(directory));
    return (name) => names.has(name);
  };
  const stub = (path: string): boolean => isStub(paths.upper, path) && before.lookup(path) === undefined;
  const seen = (view: FileView): FileView => ({
    lookup: (path) => (stub(path) ? undefined : view.lookup(path)),
    list: (directory) => view.list(directory).filter(touched(directory)),
    xattrs: (path) => view.xattrs(path),
  });
  return compareFiles(seen(before), seen(after));
}

const stubFiles: ReadonlySet<string> = new Set(["etc/hosts", "etc/hostname", "etc/resolv.conf"]);
const stubDirectories: ReadonlySet<string> = new Set(["dev", "proc", "sys", ".slipway-init"]);

/** Empty places in the writable directory that the runtime made for its mounts: nothing that the container did. */
export function isStub(upper: string, path: string): boolean {
  if (!stubFiles.has(path) && !stubDirectories.has(path)) return false;
  const node: FileNode | "whiteout" | undefined = new DirectoryLayer(upper).get(path);
  if (node === undefined || node === "whiteout") return false;
  return stubFiles.has(path) ? node.type === "file" && node.size === 0 : node.type === "directory" && readdirSync(`${upper}/${path}`).length === 0;
}
