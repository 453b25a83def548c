/** What the tests of this folder share: stores in temporary directories, small layers, processes that use a store and die. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Digest } from "../oci/digest.ts";
import type { TarEntry } from "../tar/entry.ts";
import { createEntry, encodeHeader, endOfArchive } from "../tar/writer.ts";
import { Store } from "./store.ts";

export type Member = Partial<TarEntry> & { readonly path: string; readonly content?: string };

export function tarOf(members: readonly Member[], encoding: BufferEncoding = "utf8"): Buffer {
  const parts = members.flatMap(({ content = "", ...entry }) => {
    const bytes = Buffer.from(content, encoding);
    return [encodeHeader(createEntry({ type: "file", size: bytes.length, ...entry })), bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return Buffer.concat([...parts, endOfArchive]);
}

/** A layer that is here as a plain tar. */
export function addLayer(store: Store, members: readonly Member[]): Digest {
  const { digest, size } = store.blobs.put(tarOf(members));
  store.layers.addTar(digest, size);
  return digest;
}

export interface TestStore extends Disposable {
  readonly root: string;
  readonly store: Store;
  /** a second opening of the same directory, as another process has it; closed with the first */
  reopen(): Store;
  /** closes what is open, so that nothing is held any more, and opens the store again */
  later(): Store;
}

export function createTestStore(): TestStore {
  const root = mkdtempSync(join(tmpdir(), "slipway-store-"));
  const opened = [Store.open(root)];
  return {
    root,
    store: opened[0] as Store,
    reopen: () => {
      const store = Store.open(root);
      opened.push(store);
      return store;
    },
    later: () => {
      for (const store of opened.splice(0)) store.close();
      opened.push(Store.open(root));
      return opened[0] as Store;
    },
    [Symbol.dispose]: () => {
      for (const store of opened) store.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/**
 * Runs `body` (the source of an async function's body, with `store` and `root` in scope) in a process of its own. What it
 * prints is collected; it may wait for ever and be killed.
 */
export function spawnWithStore(
  root: string,
  body: string,
): { readonly child: ChildProcess; readonly firstLine: Promise<string>; readonly exit: Promise<{ readonly code: number | null; readonly errors: string }> } {
  const script = `
    import { Store } from ${JSON.stringify(new URL("store.ts", import.meta.url).href)};
    const root = ${JSON.stringify(root)};
    const store = Store.open(root);
    ${body}`;
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", "--input-type=module-typescript", "-e", script], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  const exit = new Promise<{ code: number | null; errors: string }>((resolve) => child.on("close", (code) => resolve({ code, errors })));
  const firstLine = new Promise<string>((resolve, reject) => {
    let text = "";
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes("\n")) resolve(text.slice(0, text.indexOf("\n")));
    });
    child.on("close", () => reject(new Error(`ended without a line: ${errors}`)));
  });
  firstLine.catch(() => {});
  return { child, firstLine, exit };
}
