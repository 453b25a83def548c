/** `images`: a table of names, ids only, rows through a template, or a tree of layers. */
import type { Handler } from "../command.ts";
import { cliError } from "../failure.ts";
import { renderRows } from "../render.ts";
import { filtersFrom } from "./filters.ts";
import { imageRows, imageRowType } from "./image-rows.ts";
import { renderImageTree } from "./image-tree.ts";

const rawLines = "repository: {{.Repository}}\ntag: {{.Tag}}\nimage_id: {{.ID}}\ncreated_at: {{.CreatedAt}}\nvirtual_size: {{.Size}}\n";

export const runImages: Handler = async (cli, { flags, args }) => {
  if (flags.bool("tree")) {
    // Docker's client calls --digests by a name of its own here
    for (const [name, shown = name] of [["quiet"], ["no-trunc"], ["digests", "show-digest"], ["format"]] as const) {
      if (flags.changed(name)) throw cliError(`--${shown} is not yet supported with --tree`);
    }
  }
  const engine = await cli.open();
  const reference = args[0];
  const images = engine.images.list({
    all: flags.bool("all"),
    filters: filtersFrom(flags.list("filter")),
    ...(reference === undefined ? {} : { reference }),
  });
  if (flags.bool("tree")) {
    cli.stdout.write(renderImageTree(images, cli.now()));
    return 0;
  }
  const digests = flags.bool("digests");
  const digest = digests ? "{{.Digest}}\\t" : "";
  const text = renderRows(imageRows(images), imageRowType(cli.now(), flags.bool("no-trunc")), {
    format: flags.string("format"),
    table: `{{.Repository}}\\t{{.Tag}}\\t${digest}{{.ID}}\\t{{.CreatedSince}}\\t{{.Size}}`,
    quiet: flags.bool("quiet"),
    quietField: "ID",
    raw: rawLines,
  });
  cli.stdout.write(text);
  return 0;
};
