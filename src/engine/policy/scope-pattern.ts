/** Which images a scope of a policy is about: a registry, a part of it, a repository, one tag or digest. Pure. */
import { SlipwayError } from "../../base/errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { formatReference, parseReference, repositoryName, type Reference } from "../../oci/reference.ts";

export interface ScopePattern {
  readonly text: string;
  readonly kind: "exact" | "prefix" | "subdomains";
}

function invalid(text: string, why: string): SlipwayError {
  return new SlipwayError("invalid_argument", "USAGE", `scope ${JSON.stringify(text)}: ${why}`, { scope: text });
}

const hubHosts: ReadonlySet<string> = new Set(["index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"]);

/** A registry by whichever of its spellings: hosts have no case, 443 is the port where none is written, and Docker Hub answers under several names. */
function canonicalName(name: string): string {
  const [domain = "", ...path] = name.split("/");
  const host = domain.toLowerCase().replace(/:443$/, "");
  return [hubHosts.has(host) ? "docker.io" : host, ...path].join("/");
}

/** Fails with USAGE. */
export function parsePattern(text: string): ScopePattern {
  if (text.startsWith("*.")) {
    if (!/^\*\.[a-z0-9.-]+(?::\d+)?$/i.test(text)) throw invalid(text, "behind *. stands a domain");
    return { text: canonicalName(text), kind: "subdomains" };
  }
  const [domain = "", ...parts] = text.split("/");
  if (!/[.:]/.test(domain) && domain !== "localhost") throw invalid(text, "it begins with a registry, docker.io for Docker Hub");
  if (parts.length === 0) {
    if (!/^(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::\d+)?$/i.test(domain)) throw invalid(text, "no registry is called that");
    return { text: canonicalName(text), kind: "prefix" };
  }
  try {
    const parsed = parseReference(text);
    if (parsed.tag !== undefined || parsed.digest !== undefined) return { text: canonicalName(formatReference(parsed)), kind: "exact" };
    // "docker.io/acme" is a part of the Hub, though as an image's name it would be docker.io/library/acme
    return { text: canonicalName(text), kind: "prefix" };
  } catch (error) {
    throw new SlipwayError(
      "invalid_argument",
      "USAGE",
      `scope ${JSON.stringify(text)}: ${error instanceof Error ? error.message : ""}`,
      { scope: text },
      error,
    );
  }
}

/** 0: it is not about the image; the greatest is the most specific. */
export function specificity({ text, kind }: ScopePattern, reference: Reference, digest: Digest | undefined): number {
  const repository = canonicalName(repositoryName(reference));
  switch (kind) {
    case "exact": {
      // beside a digest anybody may write any tag
      const tagged = reference.tag === undefined || reference.digest !== undefined ? [] : [`${repository}:${reference.tag}`];
      const pinned = digest === undefined ? [] : [`${repository}@${digest}`, ...tagged.map((name) => `${name}@${digest}`)];
      return [...tagged, ...pinned].includes(text) ? 100_000 + text.length : 0;
    }
    case "prefix":
      return repository === text || `${repository}/`.startsWith(`${text}/`) ? 1000 + text.length : 0;
    case "subdomains":
      return repository.split("/", 1)[0]?.endsWith(text.slice(1)) === true ? text.length : 0;
  }
}
