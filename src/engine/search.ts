/** `search`: which registry a term asks, and Docker's filters. */
import { SlipwayError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";
import type { FoundRepository, RegistryClient } from "../registry/index.ts";
import type { Filters } from "./api.ts";
import { booleanFilter, checkFilterKeys } from "./filters.ts";

export interface SearchCall {
  readonly limit?: number;
  readonly filters?: Filters;
  readonly signal?: AbortSignal;
}

const usual = 25;
const most = 100;

export async function search(client: () => Promise<RegistryClient>, term: string, call: SearchCall): Promise<readonly FoundRepository[]> {
  const { filters = {}, signal } = call;
  const limit = call.limit === undefined || call.limit <= 0 ? usual : call.limit;
  if (limit > most) throw new SlipwayError("invalid_argument", "INVALID_LIMIT", `limit ${limit} is outside the range of [1, ${most}]`, { limit });
  checkFilterKeys(filters, ["is-automated", "is-official", "stars"]);
  const [isOfficial, isAutomated, stars] = [booleanFilter(filters, "is-official"), booleanFilter(filters, "is-automated"), starsOf(filters)];
  const { host, word } = splitTerm(term);
  const found = await (await client()).search(host, word, limit, signal === undefined ? {} : { signal });
  // nothing is automated any more, says Docker
  if (isAutomated === true) return [];
  return found.filter((one) => (isOfficial === undefined || one.isOfficial === isOfficial) && one.starCount >= stars);
}

/** As Docker tells a host from a name. */
function splitTerm(term: string): { readonly host: string; readonly word: string } {
  const slash = term.indexOf("/");
  const first = slash < 0 ? "" : term.slice(0, slash);
  if (first !== "" && (/[.:]/.test(first) || first === "localhost"))
    return { host: first === "index.docker.io" ? "docker.io" : first, word: term.slice(slash + 1) };
  return { host: "docker.io", word: term.replace(/^library\//, "") };
}

/** Of several the highest counts. */
function starsOf(filters: Filters): number {
  return Math.max(0, ...(filters["stars"] ?? []).map(parseStars));
}

function parseStars(text: string): number {
  if (/^[+-]?\d+$/.test(text)) return Number(text);
  const message = `invalid filter 'stars=${printable(text)}': strconv.Atoi: parsing ${JSON.stringify(printable(text))}: invalid syntax`;
  throw new SlipwayError("invalid_argument", "INVALID_FILTER", message, { filter: "stars" });
}
