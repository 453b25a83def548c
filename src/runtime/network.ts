/** Network namespaces with a way out (and in) through pasta. */
import { SlipwayError } from "../base/errors.ts";
import type { PortMapping } from "./ports.ts";

export interface NetworkOptions {
  readonly kind: "build" | "container";
  readonly publish: readonly PortMapping[];
  /** a directory of the caller in which the namespace gets its name */
  readonly directory: string;
}

export interface Network {
  /** for SpecNetwork { kind: "netns", path } */
  readonly netnsPath: string;
  /** with the host ports that were really taken */
  readonly ports: readonly PortMapping[];
  /** Ends pasta and the namespace; a second call does nothing. */
  close(): Promise<void>;
}

export async function createNetwork(options: NetworkOptions): Promise<Network> {
  throw new SlipwayError("internal", "NOT_IMPLEMENTED", options.kind);
}

export type StepNetwork = { readonly kind: "host" } | { readonly kind: "netns"; readonly path: string };

/** One per build. */
export interface NetworkPool {
  /** Starts the first network in the background; call it when the build begins to execute. Never throws. */
  warm(): void;
  /** A network that no other step uses. Host network, after one onWarning, where pasta is missing. */
  acquire(signal?: AbortSignal): Promise<{ readonly network: StepNetwork; release(): void }>;
  close(): Promise<void>;
}

export function createNetworkPool(options: { readonly directory: string; readonly onWarning: (message: string) => void }): NetworkPool {
  throw new SlipwayError("internal", "NOT_IMPLEMENTED", options.directory);
}
