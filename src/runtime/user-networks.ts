/** Networks that users define, and a container's places in them: plain values, kept as JSON. */

export interface NetworkDefinition {
  /** 64 hex digits */
  readonly id: string;
  readonly name: string;
  /** RFC 3339 */
  readonly created: string;
  /** "172.18.0.0/16" */
  readonly subnet: string;
  /** from which addresses are given; absent: the whole subnet */
  readonly ipRange?: string;
  readonly gateway: string;
  /** no way to the outside, and no published ports */
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
}

/** What a container asks of one network. */
export interface NetworkAttachment {
  readonly networkId: string;
  readonly networkName: string;
  readonly aliases: readonly string[];
  /** absent: one that is free when it starts */
  readonly address?: string;
  /** absent: made of the address */
  readonly mac?: string;
  /** "name:alias" as given to --link: names that only this container knows */
  readonly links?: readonly string[];
}

export interface ContainerNetworks {
  /** as given to --network: `inspect` shows it */
  readonly mode: string;
  /** it is on the default bridge too */
  readonly bridge: boolean;
  readonly attached: readonly NetworkAttachment[];
}

/** A running container's place in a network. */
export interface Endpoint {
  readonly endpointId: string;
  readonly networkId: string;
  readonly address: string;
  readonly prefix: number;
  readonly gateway: string;
  readonly mac: string;
  readonly interface: string;
}

/** The names under which others find a container, in Docker's order. */
export function dnsNames(record: { readonly id: string; readonly name: string }, attachment: Pick<NetworkAttachment, "aliases">): readonly string[] {
  return [...new Set([record.name, ...attachment.aliases, record.id.slice(0, 12)])];
}
