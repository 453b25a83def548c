/** undici's agents, one for each way of connecting: direct or by a proxy, with which certificates, checked or not. */
import type { SecureContext, SecureContextOptions } from "node:tls";
import type { Dispatcher } from "undici";
import type { ConfigFiles, Env } from "./config-files.ts";
import { readCertificatePaths, readCertificateDirectory, readHostCertificates } from "./host-certificates.ts";
import type { CertificatePaths, HostCertificates } from "./host-certificates.ts";
import { proxyFor } from "./proxy.ts";
import { loadAgent, loadProxyAgent } from "./undici.ts";

export interface DispatcherOptions {
  /** for HTTP_PROXY, HTTPS_PROXY and NO_PROXY */
  readonly env: Env;
  readonly files: ConfigFiles;
  /** searched in order: "/etc/containers/certs.d", "/etc/docker/certs.d" */
  readonly certDirs: readonly string[];
  /** in their place, for every host */
  readonly certDir?: string | undefined;
  /** files of certificates by host, besides those of the directories */
  readonly certificates: ReadonlyMap<string, CertificatePaths>;
  readonly connectTimeoutMs: number;
}

export interface Dispatchers {
  /** `authoritiesOf`: another host whose authorities are trusted too */
  forUrl(url: URL, verifyTls: boolean, authoritiesOf?: string): Dispatcher;
  /** The proxy that requests to the address take, if any. */
  proxyFor(url: URL): URL | undefined;
  /** From now on trusts the system's authorities too when talking to the host; false when it did already. */
  trustSystem(host: string): boolean;
  close(): Promise<void>;
}

interface TlsOptions {
  readonly rejectUnauthorized: boolean;
  readonly secureContext?: SecureContext;
}

function withAuthoritiesOf(own: HostCertificates | undefined, other: HostCertificates | undefined): HostCertificates | undefined {
  if (other === undefined || other.authorities.length === 0) return own;
  return { ...own, authorities: [...(own?.authorities ?? []), ...other.authorities] };
}

export function createDispatchers(options: DispatcherOptions): Dispatchers {
  const agents = new Map<string, Dispatcher>();
  const systemTrusted = new Set<string>();

  function certificatesOf(host: string): HostCertificates | undefined {
    if (options.certDir !== undefined) return readCertificateDirectory(options.certDir, options.files);
    const kept = readHostCertificates(host, options.certDirs, options.files);
    const paths = options.certificates.get(host);
    if (paths === undefined) return kept;
    const named = readCertificatePaths(paths, options.files);
    return { ...named, ...kept, authorities: [...named.authorities, ...(kept?.authorities ?? [])] };
  }

  /** One context for all connections: parsing 150 authorities anew for each would cost more than the handshake. */
  function tlsOptions(host: string, verifyTls: boolean, authoritiesOf: string): TlsOptions {
    const own = withAuthoritiesOf(certificatesOf(host), authoritiesOf === "" ? undefined : certificatesOf(authoritiesOf));
    const system = systemTrusted.has(host);
    if (own === undefined && !system) return { rejectUnauthorized: verifyTls };
    const tls = process.getBuiltinModule("node:tls");
    const ca = [...tls.getCACertificates("default"), ...(system ? tls.getCACertificates("system") : []), ...(own?.authorities ?? [])];
    const context: SecureContextOptions = { ca, ...own?.client };
    return { rejectUnauthorized: verifyTls, secureContext: tls.createSecureContext(context) };
  }

  function create(url: URL, verifyTls: boolean, proxy: URL | undefined, authoritiesOf: string): Dispatcher {
    const tls = url.protocol === "https:" ? tlsOptions(url.host, verifyTls, authoritiesOf) : { rejectUnauthorized: verifyTls };
    const timeout = options.connectTimeoutMs;
    // one connection a request: the number of requests at once is limited elsewhere
    if (proxy === undefined) return new (loadAgent())({ connect: { timeout, ...tls } });
    return new (loadProxyAgent())({ uri: proxy.href, requestTls: { timeout, ...tls }, proxyTls: { timeout }, proxyTunnel: url.protocol === "https:" });
  }

  return {
    forUrl(url, verifyTls, authoritiesOf = "") {
      const proxy = proxyFor(url, options.env);
      const key = `${url.protocol} ${url.host} ${String(verifyTls)} ${proxy?.href ?? ""} ${authoritiesOf}`;
      let agent = agents.get(key);
      if (agent === undefined) agents.set(key, (agent = create(url, verifyTls, proxy, authoritiesOf)));
      return agent;
    },
    proxyFor: (url) => proxyFor(url, options.env),
    trustSystem(host) {
      if (systemTrusted.has(host)) return false;
      systemTrusted.add(host);
      for (const [key, agent] of agents) {
        if (key.split(" ")[1] !== host) continue;
        agents.delete(key);
        void agent.close();
      }
      return true;
    },
    async close() {
      await Promise.all([...agents.values()].map((agent) => agent.destroy()));
      agents.clear();
    },
  };
}
