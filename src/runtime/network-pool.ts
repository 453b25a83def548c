/** Networks for build steps: one step uses one at a time, and they are used again within a build. */
import { join } from "node:path";
import { SlipwayError } from "../base/errors.ts";
import { createNetwork, type Network } from "./network.ts";

export type StepNetwork = { readonly kind: "host" } | { readonly kind: "netns"; readonly path: string };

/** One per build. */
export interface NetworkPool {
  /** Starts the first network in the background; call it when the build begins to execute. Never throws. */
  warm(): void;
  /** A network that no other step uses. Host network, after one onWarning, where none can be made. */
  acquire(signal?: AbortSignal): Promise<{ readonly network: StepNetwork; release(): void }>;
  close(): Promise<void>;
}

export interface NetworkPoolOptions {
  readonly directory: string;
  readonly onWarning: (message: string) => void;
  /** how a network is made; createNetwork() unless a test says otherwise */
  readonly create?: (directory: string) => Promise<Network>;
}

export function createNetworkPool(options: NetworkPoolOptions): NetworkPool {
  return new Pool(options);
}

class Pool implements NetworkPool {
  readonly #options: NetworkPoolOptions;
  readonly #all: Promise<Network | undefined>[] = [];
  readonly #idle: Network[] = [];
  #warming: Promise<Network | undefined> | undefined;
  #warned = false;
  #closed = false;

  constructor(options: NetworkPoolOptions) {
    this.#options = options;
  }

  warm(): void {
    if (this.#all.length === 0) this.#warming = this.#create();
  }

  async acquire(signal?: AbortSignal): Promise<{ readonly network: StepNetwork; release(): void }> {
    signal?.throwIfAborted();
    const network = this.#idle.pop() ?? (await this.#takeWarming()) ?? (await this.#create());
    if (network === undefined) return { network: { kind: "host" }, release: () => undefined };
    let released = false;
    const release = (): void => {
      if (!released) this.#idle.push(network);
      released = true;
    };
    return { network: { kind: "netns", path: network.netnsPath }, release };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#all.map(async (made) => (await made)?.close()));
  }

  #takeWarming(): Promise<Network | undefined> | undefined {
    const warming = this.#warming;
    this.#warming = undefined;
    return warming;
  }

  #create(): Promise<Network | undefined> {
    if (this.#closed) throw new SlipwayError("internal", "POOL_CLOSED", "the build's networks are closed already");
    const directory = join(this.#options.directory, `net${this.#all.length}`);
    const make = this.#options.create ?? ((path) => createNetwork({ kind: "build", publish: [], directory: path }));
    const made = make(directory).catch((error: unknown) => {
      this.#warn(error);
      return undefined;
    });
    this.#all.push(made);
    return made;
  }

  #warn(error: unknown): void {
    if (this.#warned) return;
    this.#warned = true;
    const reason = error instanceof Error ? error.message : String(error);
    this.#options.onWarning(`build steps use the host's network, because no network of their own could be made: ${reason}`);
  }
}
