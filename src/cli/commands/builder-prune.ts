/** `builder prune`: cache records that nothing needs, or all of them. */
import { checkBuilder } from "./builder-flag.ts";
import type { CacheRecordSummary } from "../../engine/api.ts";
import type { Handler } from "../command.ts";
import { alignColumns } from "../table.ts";
import { formatAgo, formatSize } from "../units.ts";
import { confirm } from "./confirm.ts";
import { filtersFrom } from "./filters.ts";

function formatVerbose(records: readonly CacheRecordSummary[], nowMs: number): string {
  return records
    .map(
      (record) =>
        `ID:\t${record.id}\nType:\t${record.type}\nDescription:\t${record.description}\nSize:\t${formatSize(record.sizeBytes)}\nLast used:\t${formatAgo(record.lastUsedMs, nowMs)}\nUsage count:\t${record.usageCount}\n\n`,
    )
    .join("");
}

function formatRecords(records: readonly CacheRecordSummary[], nowMs: number): string {
  if (records.length === 0) return "";
  const lines = records.map((record) => `${record.id}\ttrue \t${formatSize(record.sizeBytes)}\t${formatAgo(record.lastUsedMs, nowMs)}\n`);
  return alignColumns(`ID\tRECLAIMABLE\tSIZE\tLAST ACCESSED\n${lines.join("")}`);
}

export const runBuilderPrune: Handler = async (cli, { flags }) => {
  const all = flags.bool("all");
  const what = all ? "all build cache" : "all dangling build cache";
  if (!flags.bool("force") && !(await confirm(cli, `WARNING! This will remove ${what}. Are you sure you want to continue?`))) return 0;
  const engine = await cli.open();
  checkBuilder(cli, engine, flags.optional("builder"));
  const keepBytes = flags.bytes("max-used-space") ?? flags.bytes("keep-storage");
  const [minFreeBytes, reservedBytes] = [flags.bytes("min-free-space"), flags.bytes("reserved-space")];
  const { removed, reclaimedBytes } = await engine.system.pruneCache({
    all,
    filters: filtersFrom(flags.list("filter")),
    ...(keepBytes === undefined ? {} : { keepBytes }),
    ...(minFreeBytes === undefined ? {} : { minFreeBytes }),
    ...(reservedBytes === undefined ? {} : { reservedBytes }),
  });
  cli.stdout.write(flags.bool("verbose") ? alignColumns(formatVerbose(removed, cli.now())) : formatRecords(removed, cli.now()));
  cli.stdout.write(`Total:\t${formatSize(reclaimedBytes)}\n`);
  return 0;
};
