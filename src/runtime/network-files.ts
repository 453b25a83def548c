/** The text of /etc/resolv.conf, /etc/hosts and /etc/hostname of containers and steps. Pure. */
import { SlipwayError } from "../base/errors.ts";

export interface ResolvConfOptions {
  /** the host's /etc/resolv.conf */
  readonly hostText: string;
  /** the container shares the host's network: loopback name servers work */
  readonly hostNetwork: boolean;
  readonly dns?: readonly string[];
  readonly search?: readonly string[];
  readonly options?: readonly string[];
  /** address at which pasta forwards DNS queries, used when the host's servers are only on loopback */
  readonly dnsForward?: string;
}

export function makeResolvConf(options: ResolvConfOptions): string {
  throw new SlipwayError("internal", "NOT_IMPLEMENTED", options.hostText);
}

export interface HostsOptions {
  readonly hostname: string;
  /** the container's own address, with a network of its own */
  readonly address?: string;
  /** "name:ip", "name=ip", "name:host-gateway" as given to --add-host */
  readonly extraHosts: readonly string[];
  /** what host-gateway stands for */
  readonly hostGateway?: string;
  /** "build" writes the step's shorter form */
  readonly kind: "build" | "container";
}

export function makeHosts(options: HostsOptions): string {
  throw new SlipwayError("internal", "NOT_IMPLEMENTED", options.hostname);
}
