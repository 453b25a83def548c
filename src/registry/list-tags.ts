/** A repository's tags, page by page. @see distribution-spec, "Listing Tags" */
import { SlipwayError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";
import { Fields, parseJsonObject } from "../oci/bounded-json.ts";
import type { Reference } from "../oci/reference.ts";
import type { Endpoint } from "./endpoint.ts";
import { readBody } from "./read-body.ts";
import type { Sender } from "./sender.ts";
import type { TransportResponse } from "./transport.ts";

const maxPageBytes = 4 * 1024 * 1024;
const maxTags = 200_000;
const maxPages = 2_000;
const pageSize = 1000;

/** The query of the next page; the registry's path and host are ours to choose, not the header's. */
export function nextQuery(response: TransportResponse): string | undefined {
  const target = /<([^<>]*)>\s*;[^<>]*\brel="?next"?/.exec((response.headers["link"] ?? "").slice(0, 8192))?.[1];
  return target === undefined ? undefined : (URL.parse(target, response.url.href)?.search ?? undefined);
}

/**
 * All tags, in the registry's order. Fails with TOO_MANY_TAGS (resource_exhausted) beyond 200,000 tags or 2,000 pages,
 * which is also how a registry that links its pages in a circle ends.
 */
export async function listTagsAt(sender: Sender, endpoint: Endpoint, reference: Reference, signal?: AbortSignal, pages = Infinity): Promise<readonly string[]> {
  const tags: string[] = [];
  let query: string | undefined = `?n=${pageSize}`;
  for (let page = 0; query !== undefined && page < pages; page++) {
    const path = `tags/list${query}`;
    const headers = { accept: "application/json" };
    const response: TransportResponse = await sender.send({
      endpoint,
      reference,
      actions: "pull",
      subject: "tags",
      method: "GET",
      path,
      headers,
      contentAddressed: false,
      signal,
    });
    const bytes = await readBody(response, maxPageBytes, "list of tags");
    const fields = new Fields(parseJsonObject(bytes, "list of tags", { maxBytes: maxPageBytes, maxDepth: 8 }), "list of tags");
    for (const tag of fields.strings("tags") ?? []) tags.push(printable(tag));
    query = nextQuery(response);
    if (tags.length > maxTags || page >= maxPages) {
      throw new SlipwayError("resource_exhausted", "TOO_MANY_TAGS", `${endpoint.host} lists more than ${maxTags} tags or ${maxPages} pages of them`, {
        host: endpoint.host,
      });
    }
  }
  return tags;
}
