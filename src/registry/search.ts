/**
 * Finds repositories by a word: by Docker Hub's search, which other registries may have too; where one has not, in the list of all its
 * repositories. @see Docker Registry API v1, "Search"; distribution-spec's predecessor, "Listing Repositories"
 */
import { SlipwayError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";
import { Fields, parseJsonObject } from "../oci/bounded-json.ts";
import type { CredentialSource } from "./credentials.ts";
import type { Endpoint } from "./endpoint.ts";
import { nextQuery } from "./list-tags.ts";
import { readBody } from "./read-body.ts";
import { basicHeader } from "./token-request.ts";
import type { Transport, TransportResponse } from "./transport.ts";

export interface FoundRepository {
  /** as the registry has it: "busybox", "grafana/loki" */
  readonly name: string;
  readonly description: string;
  readonly starCount: number;
  readonly isOfficial: boolean;
}

export interface SearchOptions {
  readonly transport: Transport;
  readonly userAgent: string;
  readonly credentials: CredentialSource;
  readonly signal: AbortSignal;
}

const maxBytes = 4 * 1024 * 1024;
const maxPages = 200;
/** Docker Hub's host for it, which is not the one that images come from. */
const hubSearchHost = "index.docker.io";
/** nobody speaks TLS there: plain http is tried where that is allowed */
const noTls = new Set(["CONNECTION_REFUSED", "PLAIN_HTTP_REGISTRY", "CONNECTION_LOST"]);

/** At most `limit`, in the registry's order. Fails with SEARCH_UNAVAILABLE (unavailable) and the network's codes. */
export async function searchAt(endpoint: Endpoint, term: string, limit: number, options: SearchOptions): Promise<readonly FoundRepository[]> {
  const isHub = endpoint.host === "registry-1.docker.io";
  const host = isHub ? hubSearchHost : endpoint.host;
  let first: unknown;
  for (const scheme of endpoint.schemes) {
    try {
      const asking = new Asking(new URL(`${scheme}://${host}/`), endpoint, options);
      const found = await asking.search(term, limit);
      if (found !== undefined) return found;
      if (isHub) throw unavailable(host, 404);
      return (await asking.repositoriesWith(term, limit)).map((name) => ({ name, description: "", starCount: 0, isOfficial: false }));
    } catch (error) {
      first ??= error;
      if (!(error instanceof SlipwayError) || !noTls.has(error.code)) throw error;
    }
  }
  throw first;
}

class Asking {
  readonly #base: URL;
  readonly #endpoint: Endpoint;
  readonly #options: SearchOptions;

  constructor(base: URL, endpoint: Endpoint, options: SearchOptions) {
    this.#base = base;
    this.#endpoint = endpoint;
    this.#options = options;
  }

  /** Undefined where there is no such search. */
  async search(term: string, limit: number): Promise<readonly FoundRepository[] | undefined> {
    const response = await this.#get(`v1/search?q=${encodeURIComponent(term)}&n=${limit}`);
    if (response.status === 404) {
      response.discard();
      return undefined;
    }
    const fields = await this.#read(response);
    return (fields.children("results") ?? []).slice(0, limit).map((result) => ({
      name: printable(result.string("name") ?? ""),
      description: printable((result.string("description") ?? "").replaceAll(/[\r\n]/g, " ")),
      starCount: result.integer("star_count") ?? 0,
      isOfficial: result.boolean("is_official") ?? false,
    }));
  }

  async repositoriesWith(term: string, limit: number): Promise<readonly string[]> {
    const names: string[] = [];
    let query: string | undefined = "?n=1000";
    for (let page = 0; query !== undefined && page < maxPages && names.length < limit; page++) {
      const response = await this.#get(`v2/_catalog${query}`);
      const fields = await this.#read(response);
      for (const name of fields.strings("repositories") ?? []) if (name.includes(term.toLowerCase())) names.push(printable(name));
      query = nextQuery(response);
    }
    return names.slice(0, limit);
  }

  /** A name and its password are told as Docker tells them, tokens to nobody. */
  async #get(path: string): Promise<TransportResponse> {
    const { transport, userAgent, credentials, signal } = this.#options;
    const credential = await credentials.lookup(this.#endpoint.credentialHost, "", signal);
    const authorization = credential?.kind === "basic" ? { authorization: basicHeader(credential.username, credential.password) } : {};
    return await transport.request({
      method: "GET",
      url: new URL(path, this.#base),
      headers: { "user-agent": userAgent, accept: "application/json", ...this.#endpoint.headers, ...authorization },
      verifyTls: this.#endpoint.verifyTls,
      plainRedirect: false,
      signal,
    });
  }

  async #read(response: TransportResponse): Promise<Fields> {
    if (response.status !== 200) {
      response.discard();
      throw unavailable(this.#base.host, response.status);
    }
    const what = "search's answer";
    return new Fields(parseJsonObject(await readBody(response, maxBytes, what), what, { maxBytes, maxDepth: 8 }), what);
  }
}

function unavailable(host: string, status: number): SlipwayError {
  const remedy =
    status === 401 || status === 403 ? { remedy: `slipway login ${host} says who you are; registries that give tokens only cannot be searched` } : {};
  return new SlipwayError("unavailable", "SEARCH_UNAVAILABLE", `${host} cannot be searched: Unexpected status code ${status}`, { host, status, ...remedy });
}
