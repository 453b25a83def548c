/** `network create`, `ls`, `rm`, `prune`, `connect`, `disconnect`. */
import { isSlipwayError, SlipwayError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import type { NetworkInspect } from "../../engine/api.ts";
import type { Handler } from "../command.ts";
import { cliError } from "../failure.ts";
import type { ParsedFlags } from "../flags.ts";
import { formatGoValue } from "../go-value.ts";
import { renderRows, type RowType } from "../render.ts";
import { confirm } from "./confirm.ts";
import { forEachWord } from "./each.ts";
import { filtersFrom } from "./filters.ts";
import { recordFrom } from "./key-value.ts";

export const runNetworkCreate: Handler = async (cli, { flags, args: [name = ""] }) => {
  if (!["", "local"].includes(flags.string("scope")))
    throw new SlipwayError("denied", "INVALID_NETWORK", printable(`cannot create a ${flags.string("scope")} scoped network when swarm is not active`));
  const { networks } = await cli.open();
  const id = await networks.create({
    name,
    driver: flags.string("driver"),
    internal: flags.bool("internal"),
    attachable: flags.bool("attachable"),
    labels: recordFrom(flags.list("label")),
    driverOptions: recordFrom(flags.list("opt")),
    ...single(flags, "subnet", "subnet"),
    ...single(flags, "gateway", "gateway"),
    ...single(flags, "ip-range", "ipRange"),
  });
  cli.stdout.write(`${id}\n`);
  return 0;
};

/** Docker takes several for IPv6 beside IPv4. */
function single<Key extends string>(flags: ParsedFlags, name: string, key: Key): { readonly [K in Key]?: string } {
  const [value, ...others] = flags.list(name);
  if (others.length > 0) throw cliError(`multiple --${name} options are not supported: a network has one subnet`, "USAGE", { bare: true, exitCode: 1 });
  return value === undefined || value === "" ? {} : ({ [key]: value } as { readonly [K in Key]?: string });
}

function rowType(truncated: boolean): RowType<NetworkInspect> {
  return {
    typeName: "*formatter.networkContext",
    errorPrefix: "failed to execute template: ",
    fields: {
      CreatedAt: ({ Created }) =>
        `${Created.replace("T", " ")
          .replace(/(?:\.0*)?Z$/, "")
          .replace(/(\.\d*[1-9])0+Z?$/, "$1")
          .replace("Z", "")} +0000 UTC`,
      Driver: (network) => network.Driver,
      ID: ({ Id }) => (truncated ? Id.slice(0, 12) : Id),
      IPv4: (network) => String(network.EnableIPv4),
      IPv6: (network) => String(network.EnableIPv6),
      Internal: (network) => String(network.Internal),
      Labels: ({ Labels }) =>
        Object.entries(Labels)
          .map(([key, value]) => printable(`${key}=${value}`))
          .sort()
          .join(","),
      Name: (network) => network.Name,
      Scope: (network) => network.Scope,
    },
    methods: { Label: (network) => (name) => network.Labels[formatGoValue(name)] ?? "" },
    headings: { ID: "NETWORK ID" },
  };
}

export const runNetworkLs: Handler = async (cli, { flags }) => {
  const { networks } = await cli.open();
  const rows = await networks.list({ filters: filtersFrom(flags.list("filter")) });
  const text = renderRows(rows, rowType(!flags.bool("no-trunc")), {
    format: flags.string("format"),
    table: "{{.ID}}\\t{{.Name}}\\t{{.Driver}}\\t{{.Scope}}",
    quiet: flags.bool("quiet"),
    quietField: "ID",
    raw: "network_id: {{.ID}}\nname: {{.Name}}\ndriver: {{.Driver}}\nscope: {{.Scope}}\n",
  });
  cli.stdout.write(text);
  return 0;
};

export const runNetworkRm: Handler = async (cli, { flags, args }) => {
  const { networks } = await cli.open();
  const failed = await forEachWord(cli, args, async (word) => {
    try {
      await networks.remove(word);
      cli.stdout.write(`${word}\n`);
    } catch (error) {
      if (!flags.bool("force") || !isSlipwayError(error, "NETWORK_NOT_FOUND")) throw error;
    }
  });
  // as Docker's client says it
  if (failed.length > 0) cli.stderr.write("exit status 1\n");
  return failed.length > 0 ? 1 : 0;
};

export const runNetworkPrune: Handler = async (cli, { flags }) => {
  const warning = "WARNING! This will remove all custom networks not used by at least one container.\nAre you sure you want to continue?";
  if (!flags.bool("force") && !(await confirm(cli, warning))) return 0;
  const { networks } = await cli.open();
  const { removed } = await networks.prune({ filters: filtersFrom(flags.list("filter")) });
  if (removed.length > 0) cli.stdout.write(`Deleted Networks:\n${removed.map((name) => `${printable(name)}\n`).join("")}\n`);
  return 0;
};

export const runNetworkConnect: Handler = async (cli, { flags, args: [name = "", container = ""] }) => {
  const { networks } = await cli.open();
  const address = flags.optional("ip");
  await networks.connect(container, { name, aliases: flags.list("alias"), links: flags.list("link"), ...(address === undefined ? {} : { address }) });
  return 0;
};

export const runNetworkDisconnect: Handler = async (cli, { flags, args: [name = "", container = ""] }) => {
  const { networks } = await cli.open();
  await networks.disconnect(container, name, { force: flags.bool("force") });
  return 0;
};
