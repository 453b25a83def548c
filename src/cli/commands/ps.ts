/** `ps`: containers in a table, ids only, or through a template. */
import type { Handler } from "../command.ts";
import { renderRows } from "../render.ts";
import { containerRowType } from "./container-rows.ts";
import { filtersFrom } from "./filters.ts";

const rawLines =
  "container_id: {{.ID}}\nimage: {{.Image}}\ncommand: {{.Command}}\ncreated_at: {{.CreatedAt}}\nstate: {{.State}}\nstatus: {{.Status}}\nnames: {{.Names}}\nlabels: {{.Labels}}\nports: {{.Ports}}\n";

export const runPs: Handler = async (cli, { flags }) => {
  const engine = await cli.open();
  const format = flags.string("format");
  const size = flags.bool("size") || format.includes(".Size");
  const last = flags.bool("latest") ? 1 : (flags.number("last") ?? -1);
  const containers = await engine.containers.list({
    all: flags.bool("all") || last > 0,
    filters: filtersFrom(flags.list("filter")),
    size,
    ...(last > 0 ? { last } : {}),
  });
  const text = renderRows(containers, containerRowType(cli.now(), flags.bool("no-trunc")), {
    format,
    table: `{{.ID}}\\t{{.Image}}\\t{{.Command}}\\t{{.RunningFor}}\\t{{.Status}}\\t{{.Ports}}\\t{{.Names}}${size ? "\\t{{.Size}}" : ""}`,
    quiet: flags.bool("quiet"),
    quietField: "ID",
    raw: rawLines,
  });
  cli.stdout.write(text);
  return 0;
};
