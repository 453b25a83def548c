/** An image's file system for questions and for contents, wherever it lies. */
import type { FileNode, FileView } from "../../store/index.ts";

export interface FileContent {
  /** the paths that have it, one or more: hardlinks */
  readonly paths: readonly string[];
  readonly bytes: AsyncIterable<Uint8Array>;
}

export interface ImageFiles extends AsyncDisposable {
  /** Runs the question over the merged layers, again after each layer that it turned out to need: it has to be free of effects. */
  ask<Answer>(question: (view: FileView) => Answer): Promise<Answer>;
  /** The merged layers, all of them read. */
  whole(): Promise<FileView>;
  /** The files' contents in the order in which they are come by, each to be read before the next. */
  contents(paths: ReadonlyMap<string, FileNode>): AsyncIterable<FileContent>;
}
