/** `system df`: how much the store holds of each kind, and how much of it could go. */
import type { CacheRecordSummary, ContainerSummary, DiskUsage, SlipwayApi } from "../../engine/api.ts";
import type { Handler } from "../command.ts";
import { GoStruct, jsonOf } from "../go-value.ts";
import { renderOne, renderRows, structOf } from "../render.ts";
import type { RowType } from "../render.ts";
import { formatAgo, formatSize } from "../units.ts";
import { containerRowType } from "./container-rows.ts";
import { imageRows, imageRowType } from "./image-rows.ts";

interface UsageRow {
  readonly type: string;
  readonly total: number;
  readonly active: number;
  readonly sizeBytes: number;
  readonly reclaimableBytes: number;
  /** build cache shows no share */
  readonly share: boolean;
}

function rowsOf(usage: DiskUsage): readonly UsageRow[] {
  return [
    { type: "Images", ...usage.images, share: true },
    { type: "Containers", ...usage.containers, share: true },
    { type: "Local Volumes", ...usage.volumes, share: true },
    { type: "Build Cache", ...usage.cache, share: false },
  ];
}

const usageRowType: RowType<UsageRow> = {
  typeName: "*formatter.diskUsageContext",
  fields: {
    Active: (row) => String(row.active),
    Reclaimable: (row) => {
      const size = formatSize(row.reclaimableBytes);
      return row.share && row.sizeBytes > 0 ? `${size} (${Math.trunc((row.reclaimableBytes * 100) / row.sizeBytes)}%)` : size;
    },
    Size: (row) => formatSize(row.sizeBytes),
    TotalCount: (row) => String(row.total),
    Type: (row) => row.type,
  },
  headings: { TotalCount: "TOTAL" },
};

function cacheRowType(nowMs: number): RowType<CacheRecordSummary> {
  return {
    typeName: "*formatter.buildCacheContext",
    fields: {
      ID: (record) => record.id.slice(0, 12),
      CacheType: (record) => record.type,
      Size: (record) => formatSize(record.sizeBytes, 3),
      CreatedSince: (record) => formatAgo(record.createdMs, nowMs),
      LastUsedSince: (record) => formatAgo(record.lastUsedMs, nowMs),
      UsageCount: (record) => String(record.usageCount),
      InUse: (record) => String(record.inUse),
      Shared: (record) => String(record.shared),
      Description: (record) => record.description,
    },
    headings: { ID: "CACHE ID", CacheType: "CACHE TYPE", CreatedSince: "CREATED", LastUsedSince: "LAST USED", UsageCount: "USAGE", InUse: "IN USE" },
  };
}

async function formatVerbose(engine: SlipwayApi, usage: DiskUsage, nowMs: number): Promise<string> {
  const images = renderRows(imageRows(engine.images.list({ all: true })), imageRowType(nowMs, false), {
    format: "",
    table: "{{.Repository}}\\t{{.Tag}}\\t{{.ID}}\\t{{.CreatedSince}}\\t{{.Size}}\\t{{.SharedSize}}\\t{{.UniqueSize}}\\t{{.Containers}}",
  });
  const list: readonly ContainerSummary[] = await engine.containers.list({ all: true, size: true });
  const containers = renderRows(list, containerRowType(nowMs, false), {
    format: "",
    table: "{{.ID}}\\t{{.Image}}\\t{{.Command}}\\t{{.LocalVolumes}}\\t{{.Size}}\\t{{.RunningFor}}\\t{{.Status}}\\t{{.Names}}",
  });
  const cache = renderRows(usage.cacheRecords, cacheRowType(nowMs), {
    format: "",
    table: "{{.ID}}\\t{{.CacheType}}\\t{{.Size}}\\t{{.CreatedSince}}\\t{{.LastUsedSince}}\\t{{.UsageCount}}\\t{{.Shared}}",
  });
  return `Images space usage:\n\n${images}\nContainers space usage:\n\n${containers}\nBuild cache usage: ${formatSize(usage.cache.sizeBytes)}\n\n${cache}`;
}

/** All of it through one template: `{{range .Images}}…{{end}}`, or as one JSON object. */
async function renderVerbose(engine: SlipwayApi, usage: DiskUsage, nowMs: number, format: string): Promise<string> {
  const images = imageRows(engine.images.list({ all: true })).map((row) => structOf(imageRowType(nowMs, false), row));
  const containers = (await engine.containers.list({ all: true, size: true })).map((row) => structOf(containerRowType(nowMs, false), row));
  const cache = usage.cacheRecords.map((row) => structOf(cacheRowType(nowMs), row));
  const json = { Images: images.map(jsonOf), Containers: containers.map(jsonOf), BuildCache: cache.map(jsonOf) };
  const whole = new GoStruct("*formatter.diskUsageContext", { Images: images, Containers: containers, BuildCache: cache }, { json, escapesHtml: true });
  return `${renderOne(format, whole, "")}\n`;
}

export const runSystemDf: Handler = async (cli, { flags }) => {
  const engine = await cli.open();
  const usage = await engine.system.diskUsage();
  const format = flags.string("format");
  if (flags.bool("verbose") && format === "") cli.stdout.write(await formatVerbose(engine, usage, cli.now()));
  else if (flags.bool("verbose")) cli.stdout.write(await renderVerbose(engine, usage, cli.now(), format));
  else cli.stdout.write(renderRows(rowsOf(usage), usageRowType, { format, table: "{{.Type}}\\t{{.TotalCount}}\\t{{.Active}}\\t{{.Size}}\\t{{.Reclaimable}}" }));
  if (usage.orphanBytes > 0) cli.stderr.write(`${formatSize(usage.orphanBytes)} on disk belong to nothing; "slipway system prune" removes them.\n`);
  return 0;
};
