/** `buildx du`: the records of the build cache, as table, blocks, JSON or through a template; then what they sum up to. */
import type { CacheRecordSummary } from "../../engine/api.ts";
import type { Handler } from "../command.ts";
import { cliError } from "../failure.ts";
import { nilList } from "../go-value.ts";
import { renderRows, type RowType } from "../render.ts";
import { alignColumns } from "../table.ts";
import { formatAgo, formatGoUtc, formatSize } from "../units.ts";
import { checkBuilder } from "./builder-flag.ts";
import { filtersFrom } from "./filters.ts";

function isMutable({ type }: CacheRecordSummary): boolean {
  return type !== "regular";
}

function rowType(nowMs: number): RowType<CacheRecordSummary> {
  return {
    typeName: "*commands.diskusageContext",
    fields: {
      CreatedAt: ({ createdMs }) => formatGoUtc(createdMs),
      Description: ({ description }) => description,
      ID: ({ id }) => id,
      LastUsedAt: ({ lastUsedMs }) => formatAgo(lastUsedMs, nowMs),
      Mutable: isMutable,
      // which record stands on which is not kept
      Parents: () => nilList,
      Reclaimable: ({ inUse }) => !inUse,
      Shared: ({ shared }) => shared,
      Size: ({ sizeBytes }) => formatSize(sizeBytes, 4),
      Type: ({ type }) => type,
      UsageCount: ({ usageCount }) => usageCount,
    },
    headings: { LastUsedAt: "LAST ACCESSED" },
  };
}

/** Stars: mutable records, and sizes that images share. */
function tableOf(records: readonly CacheRecordSummary[], nowMs: number): string {
  const rows = records.map((record) => {
    const { id, inUse, shared, sizeBytes, lastUsedMs } = record;
    const size = `${formatSize(sizeBytes, 4)}${shared ? "*" : ""}`;
    return `${id}${isMutable(record) ? "*" : ""}\t${!inUse}\t${size}\t${formatAgo(lastUsedMs, nowMs)}\n`;
  });
  return alignColumns(`ID\tRECLAIMABLE\tSIZE\tLAST ACCESSED\n${rows.join("")}`);
}

function blocksOf(records: readonly CacheRecordSummary[], nowMs: number): string {
  const block = (record: CacheRecordSummary): string => {
    const rows = [
      ["ID", record.id],
      ["Created at", formatGoUtc(record.createdMs)],
      ["Mutable", isMutable(record)],
      ["Reclaimable", !record.inUse],
      ["Shared", record.shared],
      ["Size", formatSize(record.sizeBytes, 4)],
      ...(record.description === "" ? [] : [["Description", record.description]]),
      ["Usage count", record.usageCount],
      ["Last used", formatAgo(record.lastUsedMs, nowMs)],
      ["Type", record.type],
    ];
    return `${alignColumns(rows.map(([name, value]) => `${String(name)}:\t${String(value)}\n`).join(""), { minWidth: 0, padding: 2 })}\n`;
  };
  return records.map(block).join("");
}

function totalsOf(records: readonly CacheRecordSummary[]): string {
  const sum = (wanted: (record: CacheRecordSummary) => boolean): string =>
    formatSize(
      records.filter(wanted).reduce((total, { sizeBytes }) => total + sizeBytes, 0),
      4,
    );
  const shared = sum((record) => record.shared);
  return `Shared:\t\t${shared}\nPrivate:\t${sum((record) => !record.shared)}\nReclaimable:\t${sum(({ inUse }) => !inUse)}\nTotal:\t\t${sum(() => true)}\n`;
}

/** The largest last. Totals stand below tables and blocks of all records, not below those of a filter. */
export const runBuildxDu: Handler = async (cli, { flags }) => {
  const verbose = flags.bool("verbose");
  const format = flags.string("format");
  if (verbose && format !== "") throw cliError("--format and --verbose cannot be used together");
  const engine = await cli.open();
  checkBuilder(cli, engine, flags.optional("builder"));
  const filters = flags.list("filter");
  const usage = await engine.system.diskUsage({ cacheFilters: filtersFrom(filters) });
  const cacheRecords = usage.cacheRecords.toSorted((a, b) => a.sizeBytes - b.sizeBytes || (a.id < b.id ? -1 : 1));
  const isPretty = verbose || format === "pretty";
  const isTable = format === "" || format === "table";
  if (isPretty) cli.stdout.write(blocksOf(cacheRecords, cli.now()));
  else if (isTable) cli.stdout.write(tableOf(cacheRecords, cli.now()));
  else cli.stdout.write(renderRows(cacheRecords, rowType(cli.now()), { format, table: "" }));
  if ((isPretty || isTable) && filters.length === 0) cli.stdout.write(totalsOf(cacheRecords));
  return 0;
};
