/** `buildx create|use|ls|inspect|rm|stop|version`: names for the one builder, in buildx's words. */
import { parsePlatform } from "../../oci/index.ts";
import { asSlipwayError } from "../../base/errors.ts";
import type { BuilderSummary, SlipwayApi } from "../../engine/api.ts";
import type { Handler, Invocation } from "../command.ts";
import { cliError } from "../failure.ts";
import { compileTemplate } from "../go-template.ts";
import { GoStruct } from "../go-value.ts";
import { formatJsonLine } from "../json.ts";
import { alignColumns } from "../table.ts";
import { builderFrom } from "./builder-flag.ts";

const driver = "slipway";
const endpoint = "local";

async function about(engine: SlipwayApi): Promise<{ readonly version: string; readonly platforms: readonly string[] }> {
  return { version: `v${engine.system.version()["Version"] ?? "0.0.0"}`, platforms: await engine.system.platforms() };
}

/** buildx names the machine's own and counts the rest. */
function shortPlatforms(platforms: readonly string[]): string {
  return platforms.length <= 4 ? platforms.join(", ") : `${platforms[0]} (+${platforms.length - 1})`;
}

export const runBuildxCreate: Handler = async (cli, { flags }) => {
  for (const word of flags.list("platform").flatMap((text) => text.split(","))) {
    try {
      parsePlatform(word);
    } catch (error) {
      throw cliError(asSlipwayError(error).message, "USAGE", {}, error);
    }
  }
  const engine = await cli.open();
  if (flags.string("driver") === "docker" && !flags.bool("append")) throw cliError('additional instances of driver "docker" cannot be created');
  if (flags.bool("leave")) throw cliError("--leave: a builder has one node here: remove it with buildx rm");
  const name = engine.builders.create({ name: flags.string("name"), node: flags.string("node"), use: flags.bool("use"), append: flags.bool("append") });
  cli.stdout.write(`${name}\n`);
  return 0;
};

export const runBuildxUse: Handler = async (cli, { args }) => {
  const engine = await cli.open();
  engine.builders.use(args[0]!);
  return 0;
};

export const runBuildxInspect: Handler = async (cli, { args, flags }) => {
  const engine = await cli.open();
  const builder = builderFrom(cli, engine, args[0] ?? flags.optional("builder")) ?? engine.builders.inspect();
  const { version, platforms } = await about(engine);
  const activity = builder.usedMs === 0 ? "" : `Last Activity:\t${new Date(builder.usedMs).toISOString().slice(0, 19).replace("T", " ")} +0000 UTC\n`;
  const narrow = { minWidth: 0, padding: 1 };
  cli.stdout.write(alignColumns(`Name:\t${builder.name}\nDriver:\t${driver}\n${activity}`, narrow));
  const node = `Name:\t${builder.node}\nEndpoint:\t${endpoint}\nStatus:\trunning\nBuildKit version:\t${version}\nPlatforms:\t${platforms.join(", ")}\n`;
  cli.stdout.write(`\nNodes:\n${alignColumns(node, narrow)}`);
  return 0;
};

export const runBuildxLs: Handler = async (cli, { flags }) => {
  const engine = await cli.open();
  const { version, platforms } = await about(engine);
  const format = flags.string("format");
  const builders = engine.builders.list();
  if (format === "json") {
    cli.stdout.write(builders.map((builder) => `${formatJsonLine(jsonOf(builder, version, platforms))}\n`).join(""));
    return 0;
  }
  if (format !== "" && format !== "table") {
    const template = compileTemplate(format);
    const rows = builders.flatMap((builder) => [
      { Name: builder.name, DriverEndpoint: driver, Status: "", Buildkit: "", Platforms: "" },
      { Name: builder.node, DriverEndpoint: endpoint, Status: "running", Buildkit: version, Platforms: shortPlatforms(platforms) },
    ]);
    cli.stdout.write(rows.map((row) => `${template.fill(new GoStruct("*builder.lsContext", row))}\n`).join(""));
    return 0;
  }
  const lines = builders.map(
    ({ name, node, current }) =>
      `${name}${current ? "*" : ""}\t${driver}\t\t\t\n \\_ ${node}\t \\_ ${endpoint}\trunning\t${version}\t${shortPlatforms(platforms)}\n`,
  );
  cli.stdout.write(alignColumns(`NAME/NODE\tDRIVER/ENDPOINT\tSTATUS\tBUILDKIT\tPLATFORMS\n${lines.join("")}`));
  return 0;
};

function jsonOf({ name, node, current, usedMs }: BuilderSummary, version: string, platforms: readonly string[]): object {
  const LastActivity = usedMs === 0 ? "0001-01-01T00:00:00Z" : `${new Date(usedMs).toISOString().slice(0, 19)}Z`;
  const Nodes = [{ Endpoint: endpoint, Name: node, Platforms: platforms, Status: "running", Version: version }];
  return { Current: current, Driver: driver, Dynamic: false, LastActivity, Name: name, Nodes };
}

export const runBuildxRm: Handler = async (cli, { args, flags }) => {
  if (flags.bool("all-inactive") && args.length > 0) throw cliError("cannot specify builder name when --all-inactive is set");
  const engine = await cli.open();
  const names: readonly (string | undefined)[] = flags.bool("all-inactive") ? [] : args.length === 0 ? [flags.optional("builder")] : args;
  let failed = false;
  for (const name of names) {
    try {
      cli.stderr.write(`${engine.builders.remove(name)} removed\n`);
    } catch (error) {
      failed = true;
      cli.stderr.write(`failed to remove ${name ?? ""}: ${asSlipwayError(error).message}\n`);
    }
  }
  if (failed) throw cliError("failed to remove one or more builders");
  return 0;
};

/** Nothing runs between builds, so there is nothing to stop: the name is looked up. */
export const runBuildxStop: Handler = async (cli, { args }: Invocation) => {
  const engine = await cli.open();
  engine.builders.inspect(args[0]);
  return 0;
};

export const runBuildxVersion: Handler = async (cli) => {
  const engine = await cli.open();
  cli.stdout.write(`slipway v${engine.system.version()["Version"] ?? "0.0.0"}\n`);
  return 0;
};
