/** `volume create`, `ls`, `inspect`, `rm`, `prune`. */
import type { VolumeInspect } from "../../engine/api.ts";
import { printable } from "../../base/printable.ts";
import type { Handler } from "../command.ts";
import { cliError } from "../failure.ts";
import { formatGoValue } from "../go-value.ts";
import { renderRows, type RowType } from "../render.ts";
import { formatSize } from "../units.ts";
import { confirm } from "./confirm.ts";
import { forEachWord } from "./each.ts";
import { filtersFrom } from "./filters.ts";
import { recordFrom } from "./key-value.ts";

export const runVolumeCreate: Handler = async (cli, { flags, args }) => {
  const { volumes } = await cli.open();
  const [name] = args;
  const labels = recordFrom(flags.list("label"));
  const created = await volumes.create({
    ...(name === undefined ? {} : { name }),
    driver: flags.string("driver"),
    driverOptions: recordFrom(flags.list("opt")),
    labels,
  });
  cli.stdout.write(`${created}\n`);
  return 0;
};

const none = (): string => "N/A";

const rowType: RowType<VolumeInspect> = {
  typeName: "*formatter.volumeContext",
  errorPrefix: "failed to execute template: ",
  fields: {
    Availability: none,
    Driver: (volume) => volume.Driver,
    Group: none,
    Labels: ({ Labels }) =>
      Object.entries(Labels ?? {})
        .map(([key, value]) => printable(`${key}=${value}`))
        .join(","),
    Links: none,
    Mountpoint: (volume) => volume.Mountpoint,
    Name: (volume) => volume.Name,
    Scope: (volume) => volume.Scope,
    Size: none,
    Status: none,
  },
  methods: { Label: (volume) => (name) => volume.Labels?.[formatGoValue(name)] ?? "" },
  headings: { Name: "VOLUME NAME" },
};

export const runVolumeLs: Handler = async (cli, { flags }) => {
  const { volumes } = await cli.open();
  const rows = volumes.list({ filters: filtersFrom(flags.list("filter")) });
  cli.stdout.write(
    renderRows(rows, rowType, {
      format: flags.string("format"),
      table: "{{.Driver}}\\t{{.Name}}",
      quiet: flags.bool("quiet"),
      quietField: "Name",
      raw: "name: {{.Name}}\ndriver: {{.Driver}}\n",
    }),
  );
  return 0;
};

export const runVolumeRm: Handler = async (cli, { flags, args }) => {
  const { volumes } = await cli.open();
  const failed = await forEachWord(cli, args, async (name) => {
    await volumes.remove(name, { force: flags.bool("force") });
    cli.stdout.write(`${name}\n`);
  });
  return failed.length > 0 ? 1 : 0;
};

export const runVolumePrune: Handler = async (cli, { flags }) => {
  const filters = filtersFrom(flags.list("filter"));
  const all = flags.bool("all");
  const said = filters["all"]?.[0];
  if (all && said !== undefined)
    throw cliError(`conflicting options: cannot specify both --all and --filter all=${said}`, "USAGE", { bare: true, exitCode: 1 });
  const which = all ? "all" : "anonymous";
  const warning = `WARNING! This will remove ${which} local volumes not used by at least one container.\nAre you sure you want to continue?`;
  if (!flags.bool("force") && !(await confirm(cli, warning))) return 0;
  const { volumes } = await cli.open();
  const { removed, reclaimedBytes } = await volumes.prune({ all, filters });
  const names = removed.length === 0 ? "" : `Deleted Volumes:\n${removed.map((name) => `${name}\n`).join("")}\n`;
  cli.stdout.write(`${names}Total reclaimed space: ${formatSize(reclaimedBytes)}\n`);
  return 0;
};
