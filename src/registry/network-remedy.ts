/** What to do when a registry is not reached, by the failure's code. */
const remedies: Readonly<Record<string, (host: string) => string>> = {
  CERTIFICATE_UNTRUSTED: (host) =>
    `if the registry is yours, put its authority's certificate, or its own where it signed itself, at ~/.config/containers/certs.d/${host}/ca.crt or /etc/docker/certs.d/${host}/ca.crt`,
  CERTIFICATE_EXPIRED: () => "the registry's certificate has to be renewed, unless this machine's clock is wrong",
  CERTIFICATE_HOST_MISMATCH: () => "use one of the names that the certificate is for",
  PLAIN_HTTP_REGISTRY: (host) =>
    `the registry speaks http without TLS: allow that with "insecure-registries": ["${host}"] in daemon.json, or insecure = true in registries.conf`,
  HOST_NOT_FOUND: () => "check the registry's name; behind a proxy, HTTPS_PROXY",
  NAME_RESOLUTION_FAILED: () => "this machine's name server does not answer: check the network",
  CONNECTION_REFUSED: () => "nobody listens there: check the port, and whether the registry runs",
  HOST_UNREACHABLE: () => "check this machine's network; behind a proxy, HTTPS_PROXY",
  CONNECT_TIMEOUT: () => "check the port, and firewalls in between; behind a proxy, HTTPS_PROXY",
};

/** `host`: with its port where it is not the usual one. */
export function networkRemedy(code: string, host: string): { readonly remedy?: string } {
  const remedy = remedies[code]?.(host);
  return remedy === undefined ? {} : { remedy };
}
