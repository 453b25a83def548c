/** The library's front door: one store, opened once, and the use cases on it. */
import { SlipwayError } from "../base/errors.ts";
import type { ProgressEvent } from "../base/progress.ts";
import type { RegistryClient } from "../registry/index.ts";
import { defaultRoot, Store } from "../store/index.ts";
import type { BuildOptions, BuildResult, CheckResult, OpenOptions, SlipwayApi, Task } from "./api.ts";
import { startTask } from "./task.ts";

export class Slipway {
  readonly #store: Store;
  #client: Promise<RegistryClient> | undefined;

  private constructor(store: Store) {
    this.#store = store;
  }

  /** Opens the store, creating it when there is none. Fails with STORE_READ_ONLY, STORE_NO_SPACE, STORE_DENIED, STORE_TOO_NEW. */
  static async open(options: OpenOptions = {}): Promise<Slipway> {
    return new Slipway(Store.open(options.root ?? defaultRoot(process.env, process.geteuid?.() ?? 0)));
  }

  /** Loaded on first use: most commands never talk to a registry. */
  readonly #registry = (): Promise<RegistryClient> => {
    this.#client ??= import("../registry/index.ts").then(async ({ createRegistryClient, readMachineConfig }) => createRegistryClient(await readMachineConfig()));
    return this.#client;
  };

  build(options: BuildOptions): Task<BuildResult> {
    return startTask<BuildResult, ProgressEvent>(async (emit) => {
      const { buildImage } = await import("./build/build-image.ts");
      return await buildImage(options, { store: this.#store, client: this.#registry, onProgress: emit });
    });
  }

  async check(options: BuildOptions): Promise<CheckResult> {
    const { checkBuild } = await import("./build/build-image.ts");
    return await checkBuild(options, { store: this.#store, client: this.#registry, onProgress: () => {} });
  }

  async close(): Promise<void> {
    await (await this.#client?.catch(() => undefined))?.close();
    this.#store.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
