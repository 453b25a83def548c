/**
 * Which of the store's names a registry's repository means. `app` is the store's `app`, as Docker completes it, or what the store calls by
 * this server's own address; a repository's name has no room for a port, so `localhost:5000/app` of another registry is `localhost_5000/app`.
 */
import { isSlipwayError } from "../../base/errors.ts";
import { familiarRepository, parseReference, type Reference } from "../../oci/reference.ts";

const withPort = /^([^/]+):(\d+)(?=\/)/;
const portShown = /^(localhost|[^/]*\.[^/]*?)_(\d+)(?=\/)/;
const loopback = ["localhost", "127.0.0.1", "[::1]", "0.0.0.0", "[::]"];

/** `server`: "127.0.0.1:5000"; a machine's loopback addresses and `names` are one for it. */
function isOwn(domain: string, server: string, names: readonly string[]): boolean {
  const port = /:\d+$/.exec(server)?.[0] ?? "";
  return port !== "" && (domain === server || [...loopback, ...names].some((name) => domain === `${name}${port}`));
}

export function servedRepository(reference: Reference, server: string, names: readonly string[] = []): string {
  return isOwn(reference.domain, server, names) ? reference.path : familiarRepository(reference).replace(withPort, "$1_$2");
}

/** In the order in which they are looked for; none where the store can have no such name. */
export function storeNames(repository: string, tag: string, server: string, names: readonly string[] = []): readonly Reference[] {
  const port = /:\d+$/.exec(server)?.[0] ?? "";
  const hosts = port === "" ? [] : [...new Set([server, ...[...loopback, ...names].map((name) => `${name}${port}`)])];
  return [repository.replace(portShown, "$1:$2"), ...hosts.map((host) => `${host}/${repository}`)].flatMap((name) => {
    try {
      return [parseReference(`${name}:${tag}`)];
    } catch (error) {
      if (isSlipwayError(error)) return [];
      throw error;
    }
  });
}
