/** Where a repository can be asked for: a host, the repository's name there, and how far the connection is to be trusted. */
import type { Reference } from "../oci/reference.ts";

export interface Endpoint {
  /** as dialled, with the port: "registry-1.docker.io", "127.0.0.1:5000" */
  readonly host: string;
  /** the repository's name at that host: "library/busybox" */
  readonly repository: string;
  /** tried in this order; plain http only for loopback hosts and for those that are configured as insecure */
  readonly schemes: readonly ("https" | "http")[];
  /** false: the certificate is not checked */
  readonly verifyTls: boolean;
  /** a mirror's failure is never final: the next endpoint is asked */
  readonly mirror: boolean;
  /** the name under which credentials are kept: "docker.io", "127.0.0.1:5000" */
  readonly credentialHost: string;
  /** sent with every request to that host, and to no other; names in lower case */
  readonly headers?: Readonly<Record<string, string>>;
}

/** The host that stands for Docker Hub's API; `docker.io` itself serves none. */
const hubHost = "registry-1.docker.io";

/** `localhost`, 127.0.0.0/8 and ::1, with or without a port: hosts that Docker counts as insecure by themselves. */
export function isLoopbackHost(host: string): boolean {
  const name = host.replace(/:\d+$/, "").toLowerCase();
  return name === "localhost" || name === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(name);
}

export interface EndpointOptions {
  readonly insecure?: boolean;
  readonly mirror?: boolean;
  readonly headers?: Endpoint["headers"];
  /** a loopback host is like any other */
  readonly verified?: boolean;
}

export function createEndpoint(host: string, repository: string, options: EndpointOptions = {}): Endpoint {
  const insecure = (options.insecure ?? false) || (options.verified !== true && isLoopbackHost(host));
  return {
    host: host === "docker.io" ? hubHost : host,
    repository,
    schemes: insecure ? ["https", "http"] : ["https"],
    verifyTls: !insecure,
    mirror: options.mirror ?? false,
    credentialHost: host,
    ...(options.headers === undefined ? {} : { headers: options.headers }),
  };
}

/** The registry that the reference names, without any configuration. */
export function originEndpoint(reference: Reference): Endpoint {
  return createEndpoint(reference.domain, reference.path);
}
