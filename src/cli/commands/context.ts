/** `context`: there is no daemon that a context could choose, so that there is one, `default`, which is this machine's store. */
import { SlipwayError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import type { Cli } from "../cli.ts";
import type { Handler } from "../command.ts";
import { failureLine } from "../failure.ts";
import { compileTemplate } from "../go-template.ts";
import type { GoStruct } from "../go-value.ts";
import { formatJsonIndented, formatJsonLine } from "../json.ts";
import { renderRows, structFrom, type RowType } from "../render.ts";

const only = "default";

interface Context {
  readonly description: string;
  readonly endpoint: string;
}

async function readContext(cli: Cli): Promise<Context> {
  const { DockerRootDir: root } = await (await cli.open()).system.info();
  return { description: "The store of this machine: there is no daemon", endpoint: `slipway://${String(root)}` };
}

function requireContext(name: string): void {
  if (name === only) return;
  throw new SlipwayError(
    "not_found",
    "NO_SUCH_CONTEXT",
    `context ${JSON.stringify(printable(name))}: context not found: there is no daemon, and one context, ${only}`,
    {
      bare: true,
    },
  );
}

const rowType: RowType<Context> = {
  typeName: "*formatter.clientContextContext",
  errorPrefix: "template parsing error: ",
  fields: {
    Current: () => true,
    Description: ({ description }) => description,
    DockerEndpoint: ({ endpoint }) => endpoint,
    Error: () => "",
    Name: () => only,
  },
  headings: { Current: "", DockerEndpoint: "DOCKER ENDPOINT" },
};

export const runContextLs: Handler = async (cli, { flags }) => {
  const format = flags.string("format");
  // the star is the table's
  const table = "{{.Name}}{{if .Current}} *{{end}}\\t{{.Description}}\\t{{.DockerEndpoint}}\\t{{.Error}}";
  cli.stdout.write(renderRows([await readContext(cli)], rowType, { format, table, quiet: flags.bool("quiet"), quietField: "Name" }));
  return 0;
};

export const runContextShow: Handler = async (cli) => {
  cli.stdout.write(`${only}\n`);
  return 0;
};

export const runContextUse: Handler = async (cli, { args: [name = ""] }) => {
  requireContext(name);
  cli.stdout.write(`${name}\n`);
  cli.stderr.write(`Current context is now ${JSON.stringify(name)}\n`);
  return 0;
};

export const runContextInspect: Handler = async (cli, { flags, args }) => {
  const format = flags.string("format");
  const { endpoint } = await readContext(cli);
  const object = {
    Name: only,
    Metadata: {},
    Endpoints: { docker: { Host: endpoint, SkipTLSVerify: false } },
    TLSMaterial: {},
    Storage: { MetadataPath: "<IN MEMORY>", TLSPath: "<IN MEMORY>" },
  };
  const found: object[] = [];
  const failures: SlipwayError[] = [];
  for (const name of args.length === 0 ? [only] : args) {
    try {
      requireContext(name);
      found.push(object);
    } catch (error) {
      failures.push(error as SlipwayError);
    }
  }
  if (format === "") cli.stdout.write(`${formatJsonIndented(found)}\n`);
  else if (format === "json") cli.stdout.write(`${formatJsonLine(found)}\n`);
  else {
    const typed = structFrom(object, "context.contextWithTLSListing", new Set(["Metadata", "Endpoints", "TLSMaterial"])) as GoStruct;
    const template = compileTemplate(format);
    for (const _ of found)
      cli.stdout.write(`${template.fill(typed, { errorPrefix: rowType.errorPrefix ?? "" })}
`);
  }
  for (const failure of failures) cli.stderr.write(`${failureLine(failure)}\n`);
  return failures.length > 0 ? 1 : 0;
};
