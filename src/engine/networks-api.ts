/** The library's words for networks that users define. */
import type { Filters } from "./api.ts";

export interface NetworkOptions {
  readonly name: string;
  /** "bridge" is the only one that can be made */
  readonly driver?: string;
  /** "10.1.0.0/16"; absent: one that nothing else uses */
  readonly subnet?: string;
  readonly gateway?: string;
  /** part of the subnet from which addresses are given */
  readonly ipRange?: string;
  /** no way to the outside, and no published ports */
  readonly internal?: boolean;
  /** kept for `inspect`: there is no swarm */
  readonly attachable?: boolean;
  readonly labels?: Readonly<Record<string, string>>;
  /** kept for `inspect` */
  readonly driverOptions?: Readonly<Record<string, string>>;
}

/** A container's place in a network: `--network`, `network connect`. */
export interface NetworkRequest {
  readonly name: string;
  readonly aliases?: readonly string[];
  /** absent: one that is free when the container starts */
  readonly address?: string;
  /** "02:42:ac:11:00:09"; absent: one made of the address */
  readonly mac?: string;
  /** "container:alias": names that this container alone knows */
  readonly links?: readonly string[];
}

/** Docker's `network inspect` object. */
export interface NetworkInspect {
  readonly Name: string;
  readonly Id: string;
  readonly Created: string;
  readonly Scope: "local";
  readonly Driver: string;
  readonly EnableIPv4: boolean;
  readonly EnableIPv6: boolean;
  readonly IPAM: {
    readonly Driver: "default";
    readonly Options: Readonly<Record<string, string>> | null;
    readonly Config: readonly { readonly Subnet: string; readonly IPRange?: string; readonly Gateway?: string }[] | null;
  };
  readonly Internal: boolean;
  readonly Attachable: boolean;
  readonly Ingress: false;
  readonly ConfigFrom: { readonly Network: "" };
  readonly ConfigOnly: false;
  readonly Containers: Readonly<Record<string, NetworkContainer>>;
  readonly Options: Readonly<Record<string, string>>;
  readonly Labels: Readonly<Record<string, string>>;
}

export interface NetworkContainer {
  readonly Name: string;
  readonly EndpointID: string;
  readonly MacAddress: string;
  readonly IPv4Address: string;
  readonly IPv6Address: string;
}

export interface NetworkApi {
  /** Answers the id. NETWORK_EXISTS (conflict), INVALID_NETWORK (invalid_argument), NETWORK_DRIVER (not_found). */
  create(options: NetworkOptions): Promise<string>;
  /** By name, with bridge, host and none. INVALID_FILTER (invalid_argument). */
  list(options?: { readonly filters?: Filters }): Promise<readonly NetworkInspect[]>;
  /** By name or id. NETWORK_NOT_FOUND (not_found). Mends what a killed keeper left. */
  inspect(network: string): Promise<NetworkInspect>;
  /** Answers its name. NETWORK_NOT_FOUND, NETWORK_IN_USE (conflict) while a container that runs is in it, PREDEFINED_NETWORK (denied). */
  remove(network: string): Promise<string>;
  /** Those that no container that runs is in. */
  prune(options?: { readonly filters?: Filters }): Promise<{ readonly removed: readonly string[] }>;
  /**
   * A container that runs gets its interface at once. NETWORK_NOT_FOUND, CONTAINER_NOT_FOUND, ALREADY_CONNECTED (conflict), ENDPOINT_ADDRESS_IN_USE (conflict),
   * INVALID_NETWORK.
   */
  connect(container: string, request: NetworkRequest): Promise<void>;
  /** NOT_CONNECTED (not_found), CONTAINER_NOT_FOUND; with `force` the former in the place of the latter, as with Docker. */
  disconnect(container: string, network: string, options?: { readonly force?: boolean }): Promise<void>;
}
