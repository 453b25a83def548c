/** `search`: repositories of Docker Hub, or of the registry before the word. */
import type { TransferApi } from "../../engine/api.ts";
import type { Handler } from "../command.ts";
import { renderRows, type RowType } from "../render.ts";
import { ellipsis } from "../table.ts";
import { filtersFrom } from "./filters.ts";

type FoundRepository = Awaited<ReturnType<TransferApi["search"]>>[number];

const shownWidth = 45;

/** In JSON a word says whether a repository is official, elsewhere a mark. */
function rowType(truncate: boolean, json: boolean): RowType<FoundRepository> {
  return {
    typeName: "*registry.searchContext",
    errorPrefix: "template parsing error: ",
    fields: {
      Description: ({ description }) => (truncate ? ellipsis(description, shownWidth) : description),
      IsOfficial: ({ isOfficial }) => (json ? String(isOfficial) : isOfficial ? "[OK]" : ""),
      Name: ({ name }) => name,
      StarCount: ({ starCount }) => String(starCount),
    },
    headings: { IsOfficial: "OFFICIAL", StarCount: "STARS" },
  };
}

export const runSearch: Handler = async (cli, { flags, args: [term = ""] }) => {
  const filters = filtersFrom(flags.list("filter"));
  if (filters["is-automated"]?.includes("true") === true)
    cli.stderr.write('WARNING: the "is-automated" filter is deprecated, and searching for "is-automated=true" will not yield any results in future.\n');
  const limit = flags.number("limit");
  const engine = await cli.open();
  const found = await engine.transfer.search(term, { filters, signal: cli.signal, ...(limit === undefined ? {} : { limit }) });
  const format = flags.string("format");
  const table = "{{.Name}}\\t{{.Description}}\\t{{.StarCount}}\\t{{.IsOfficial}}";
  cli.stdout.write(renderRows(found, rowType(!flags.bool("no-trunc"), format === "json"), { format, table }));
  return 0;
};
