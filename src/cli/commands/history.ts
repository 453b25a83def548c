/** `history`: how an image came about, newest first. */
import { printable } from "../../base/printable.ts";
import type { HistoryItem } from "../../engine/api.ts";
import type { Handler } from "../command.ts";
import { renderRows } from "../render.ts";
import type { RowType } from "../render.ts";
import { ellipsis } from "../table.ts";
import { formatAgo, formatRfc3339, formatSize } from "../units.ts";
import { shownId } from "./image-rows.ts";
import { platformOption } from "./platform-flag.ts";

const createdByWidth = 45;
const yearOneSeconds = -62_135_596_800;

/** Images bring any text; a row has one line, and no control characters. */
function oneLine(text: string): string {
  return printable(text.replaceAll(/[\t\n]/g, " "));
}

function historyRowType(nowMs: number, human: boolean, noTrunc: boolean): RowType<HistoryItem> {
  return {
    typeName: "*image.historyContext",
    fields: {
      Comment: (item) => oneLine(item.comment),
      CreatedAt: (item) => formatRfc3339(item.createdSeconds),
      CreatedBy: (item) => {
        const line = oneLine(item.createdBy);
        return noTrunc ? line : ellipsis(line, createdByWidth);
      },
      CreatedSince: (item) => {
        if (!human) return formatRfc3339(item.createdSeconds);
        return item.createdSeconds <= yearOneSeconds ? "N/A" : formatAgo(item.createdSeconds * 1000, nowMs);
      },
      ID: (item) => (item.id === "<missing>" ? item.id : shownId(item.id, noTrunc)),
      Size: (item) => (human ? formatSize(item.sizeBytes, 3) : String(item.sizeBytes)),
    },
    headings: { ID: "IMAGE", CreatedSince: human ? "CREATED" : "CREATED AT", CreatedAt: "CREATED AT", CreatedBy: "CREATED BY" },
  };
}

export const runHistory: Handler = async (cli, { flags, args }) => {
  const platform = platformOption(flags, "invalid platform: ");
  const engine = await cli.open();
  const items = engine.images.history(args[0]!, platform);
  const type = historyRowType(cli.now(), flags.bool("human"), flags.bool("no-trunc"));
  const text = renderRows(items, type, {
    format: flags.string("format"),
    table: "{{.ID}}\\t{{.CreatedSince}}\\t{{.CreatedBy}}\\t{{.Size}}\\t{{.Comment}}",
    quiet: flags.bool("quiet"),
    quietField: "ID",
  });
  cli.stdout.write(text);
  return 0;
};
