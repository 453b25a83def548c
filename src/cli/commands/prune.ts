/** `image prune`, `container prune`, `system prune`: a warning, a question, what was removed, what it freed. */
import type { RemoveLine } from "../../engine/api.ts";
import type { Handler } from "../command.ts";
import { cliError } from "../failure.ts";
import { formatSize } from "../units.ts";
import { confirm } from "./confirm.ts";
import { filtersFrom } from "./filters.ts";

const question = "Are you sure you want to continue?";

/** Docker writes these lines in small letters below "Deleted Images:". */
function formatDeletedImages(lines: readonly RemoveLine[]): string {
  if (lines.length === 0) return "";
  const shown = lines.map((line) => ("untagged" in line ? `untagged: ${line.untagged}\n` : `deleted: ${line.deleted}\n`));
  return `Deleted Images:\n${shown.join("")}\n`;
}

function formatDeleted(title: string, names: readonly string[]): string {
  return names.length === 0 ? "" : `${title}:\n${names.map((name) => `${name}\n`).join("")}\n`;
}

function formatReclaimed(bytes: number): string {
  return `Total reclaimed space: ${formatSize(bytes)}\n`;
}

export const runImagePrune: Handler = async (cli, { flags }) => {
  const all = flags.bool("all");
  const dryRun = flags.bool("dry-run");
  const what = all ? "all images without at least one container associated to them" : "all dangling images";
  if (!dryRun && !flags.bool("force") && !(await confirm(cli, `WARNING! This will remove ${what}.\n${question}`))) return 0;
  const engine = await cli.open();
  const { removed, reclaimedBytes } = await engine.images.prune({ all, dryRun, filters: filtersFrom(flags.list("filter")) });
  if (dryRun)
    cli.stdout.write(`${formatDeletedImages(removed).replace("Deleted Images", "Would delete")}Total reclaimable space: ${formatSize(reclaimedBytes)}\n`);
  else cli.stdout.write(formatDeletedImages(removed) + formatReclaimed(reclaimedBytes));
  return 0;
};

export const runContainerPrune: Handler = async (cli, { flags }) => {
  if (!flags.bool("force") && !(await confirm(cli, `WARNING! This will remove all stopped containers.\n${question}`))) return 0;
  const engine = await cli.open();
  const { removed, reclaimedBytes } = await engine.containers.prune({ filters: filtersFrom(flags.list("filter")) });
  cli.stdout.write(formatDeleted("Deleted Containers", removed) + formatReclaimed(reclaimedBytes));
  return 0;
};

function systemWarning(all: boolean, volumes: boolean, filters: readonly string[]): string {
  const items = [
    "all stopped containers",
    "all networks not used by at least one container",
    ...(volumes ? ["all anonymous volumes not used by at least one container"] : []),
    all ? "all images without at least one container associated to them" : "all dangling images",
    all ? "all build cache" : "unused build cache",
  ];
  const filtered = filters.length === 0 ? "" : `\n  Items to be pruned will be filtered with:\n${filters.map((filter) => `  - ${filter}\n`).join("")}`;
  return `WARNING! This will remove:\n${items.map((item) => `  - ${item}\n`).join("")}${filtered}\n${question}`;
}

export const runSystemPrune: Handler = async (cli, { flags }) => {
  const all = flags.bool("all");
  const volumes = flags.bool("volumes");
  if (volumes && filtersFrom(flags.list("filter"))["until"] !== undefined) throw cliError('ERROR: The "until" filter is not supported with "--volumes"');
  if (!flags.bool("force") && !(await confirm(cli, systemWarning(all, volumes, flags.list("filter"))))) return 0;
  const engine = await cli.open();
  const result = await engine.system.prune({ all, volumes, filters: filtersFrom(flags.list("filter")) });
  cli.stdout.write(
    formatDeleted("Deleted Containers", result.containers) +
      formatDeleted("Deleted Volumes", result.volumes) +
      formatDeleted("Deleted Networks", result.networks) +
      formatDeletedImages(result.images) +
      formatDeleted("Deleted build cache objects", result.cache) +
      formatReclaimed(result.reclaimedBytes),
  );
  return 0;
};
