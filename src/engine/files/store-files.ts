/** An image of the store: its layers are indexes for questions, directories for contents. */
import { createReadStream } from "node:fs";
import type { Chain, Store } from "../../store/index.ts";
import type { ImageFiles } from "./image-files.ts";

export function storeFiles(store: Store, chain: Chain, signal?: AbortSignal): ImageFiles {
  return {
    ask: async (question) => question(await store.materializer.view(chain, signal)),
    whole: async () => await store.materializer.view(chain, signal),
    async *contents(paths) {
      if (paths.size === 0) return;
      const view = await store.materializer.readableView(chain, signal);
      for (const path of paths.keys()) {
        const file = view.lookup(path)?.diskPath;
        if (file !== undefined) yield { paths: [path], bytes: createReadStream(file, { highWaterMark: 256 * 1024 }) };
      }
    },
    [Symbol.asyncDispose]: async () => {},
  };
}
