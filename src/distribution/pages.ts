/** Lists in pages: `n` and `last` of tags and catalog, with the `Link` to the next page. */
import { json, refuse, type Answer } from "./answer.ts";

const maxPage = 1000;

/** `items` are sorted; `path` is where the next page is asked for. */
export function pageOf(items: readonly string[], query: URLSearchParams, path: string, body: (page: readonly string[]) => unknown): Answer {
  const asked = query.get("n");
  if (asked !== null && !/^\d{1,9}$/.test(asked)) {
    return refuse(400, "PAGINATION_NUMBER_INVALID", "invalid number of results requested", { n: asked.slice(0, 100) });
  }
  const size = asked === null ? items.length : Math.min(Number(asked), maxPage);
  const last = query.get("last") ?? "";
  const rest = last === "" ? items : items.filter((item) => item > last);
  const page = rest.slice(0, size);
  const end = page.at(-1);
  if (end === undefined || rest.length <= page.length) return json(200, body(page));
  return json(200, body(page), { link: `<${path}?last=${encodeURIComponent(end)}&n=${size}>; rel="next"` });
}
