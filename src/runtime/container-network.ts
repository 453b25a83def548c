/** The network of one run of a container: as configured, or the host's where an ordinary user can be given none and asked for no port. */
import { isSlipwayError } from "../base/errors.ts";
import type { ContainerFiles, ContainerHost } from "./container-host.ts";
import type { ContainerRecord, NetworkMode } from "./container-records.ts";
import type { JoinedNamespaces } from "./joined-namespaces.ts";
import { createNetwork, type Network } from "./network.ts";
import type { SpecNetwork } from "./spec-options.ts";

export interface ContainerNetwork {
  /** what the run really gets */
  readonly mode: NetworkMode;
  readonly spec: SpecNetwork;
  /** to be closed by whoever ends the run */
  readonly own: Network | undefined;
}

/** The interface that leads out of a container that is not on the default bridge. */
const wayOutInterface = "uplink";

/** Fails as createNetwork() does. */
export async function openContainerNetwork(
  host: Pick<ContainerHost, "onWarning" | "networkOf">,
  record: ContainerRecord,
  { files, rootless, joined }: { readonly files: ContainerFiles; readonly rootless: boolean; readonly joined: JoinedNamespaces["network"] },
): Promise<ContainerNetwork> {
  const { networkMode } = record.config;
  if (networkMode === "joined")
    return { mode: networkMode, spec: joined === undefined ? { kind: "none" } : { kind: "netns", path: joined.path }, own: undefined };
  if (networkMode !== "bridge") return { mode: networkMode, spec: { kind: networkMode }, own: undefined };
  try {
    const own = await createNetwork({ kind: "container", publish: record.ports, directory: files.network, detached: true, ...wayOut(host, record) });
    return { mode: "bridge", spec: { kind: "netns", path: own.netnsPath }, own };
  } catch (error) {
    // others expect to find it in its networks
    if (record.config.networks !== undefined) throw error;
    // root's containers could do harm on the host's network; a user's have the user's powers there
    if (!rootless || record.ports.length > 0 || !isSlipwayError(error, "NETWORK_FAILED")) throw error;
    host.onWarning(`the container uses the host's network, because no network of its own could be made: ${error.message}`);
    return { mode: "host", spec: { kind: "host" }, own: undefined };
  }
}

/** In users' networks the way out has an interface beside theirs, if one of them leads out at all. */
function wayOut(
  host: Pick<ContainerHost, "networkOf">,
  { config }: ContainerRecord,
): {
  readonly interfaceName?: string;
  readonly macAddress?: string;
  readonly closed?: boolean;
} {
  const { networks, macAddress } = config;
  if (networks === undefined || networks.bridge) return macAddress === undefined ? {} : { macAddress };
  const open = networks.attached.some(({ networkId }) => host.networkOf?.(networkId)?.internal === false);
  return open ? { interfaceName: wayOutInterface } : { closed: true };
}
