/**
 * Which proxy a request takes, by Go's rules, which Docker's are: HTTPS_PROXY for https, HTTP_PROXY for http, never for
 * loopback hosts, NO_PROXY as a list of `*`, hosts with their subdomains, `.subdomains`, addresses and CIDR ranges,
 * each with an optional port. @see golang.org/x/net/http/httpproxy
 */
import { BlockList, isIP } from "node:net";
import { SlipwayError } from "../base/errors.ts";
import type { Env } from "./config-files.ts";
import { isLoopbackHost } from "./endpoint.ts";

function fromEnv(env: Env, name: string): string {
  return env[name] || env[name.toLowerCase()] || "";
}

function family(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 6 ? "ipv6" : "ipv4";
}

/** Whether the address lies in `network/bits`. */
export function isInRange(address: string, cidr: string): boolean {
  const [network = "", bits = ""] = cidr.split("/");
  const width = isIP(network) === 6 ? 128 : 32;
  if (isIP(network) === 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > width) return false;
  const range = new BlockList();
  range.addSubnet(network, Number(bits), family(network));
  return range.check(address, family(address));
}

/** Hosts with their ports as in references; a range stands for the addresses in it, whatever the port. */
export function isAmongHosts(domain: string, entries: readonly string[]): boolean {
  const address = domain.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
  return entries.some((entry) => entry === domain || (entry.includes("/") && isIP(address) !== 0 && isInRange(address, entry)));
}

function isExcluded(host: string, port: string, entry: string): boolean {
  if (entry === "*") return true;
  if (entry.includes("/")) return isIP(host) !== 0 && isInRange(host, entry);
  const [, name = entry, wantedPort] = /^(.*?):(\d+)$/.exec(isIP(entry) === 6 ? "" : entry) ?? [];
  if (wantedPort !== undefined && wantedPort !== port) return false;
  const bare = name.replace(/^\[|\]$/g, "");
  if (isIP(host) !== 0) return host === bare;
  const domain = bare.replace(/^\*?\./, "");
  return host.endsWith(`.${domain}`) || (host === domain && bare === domain);
}

/** The proxy's URL, or undefined for a direct connection. Fails with INVALID_PROXY (invalid_argument). */
export function proxyFor(url: URL, env: Env): URL | undefined {
  if (isLoopbackHost(url.hostname)) return undefined;
  const text = fromEnv(env, url.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY");
  if (text === "") return undefined;
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  const entries = fromEnv(env, "NO_PROXY")
    .toLowerCase()
    .split(",")
    .map((entry) => entry.trim());
  if (entries.some((entry) => entry !== "" && isExcluded(host, port, entry))) return undefined;
  const proxy = URL.parse(text.includes("://") ? text : `http://${text}`);
  if (proxy !== null && /^(?:https?|socks5):$/.test(proxy.protocol)) return proxy;
  // The text may hold a password: it is not repeated.
  throw new SlipwayError("invalid_argument", "INVALID_PROXY", "the proxy of the environment is not a URL of the form http://host:port");
}
