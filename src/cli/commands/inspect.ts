/** `inspect`: objects as JSON, or each through a template. What is missing is said at the end; the others are shown. */
import { asSlipwayError, isSlipwayError, SlipwayError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import type { SlipwayApi } from "../../engine/api.ts";
import type { Cli } from "../cli.ts";
import type { Handler, Invocation } from "../command.ts";
import { cliError, failureLine } from "../failure.ts";
import { compileTemplate } from "../go-template.ts";
import type { CompiledTemplate } from "../go-template.ts";
import { goValueFrom } from "../go-value.ts";
import type { GoValue } from "../go-value.ts";
import { formatJsonIndented, formatJsonLine } from "../json.ts";
import { containerShape, imageShape, networkShape, volumeShape } from "./inspect-shape.ts";
import { platformOption } from "./platform-flag.ts";

interface Inspected {
  readonly raw: unknown;
  readonly typed: GoValue;
}

type Lookup = (engine: SlipwayApi, ref: string) => Promise<Inspected>;

function imageLookup(options: { readonly platform?: string } = {}): Lookup {
  return async (engine, ref) => {
    const raw = engine.images.inspect(ref, options);
    return { raw, typed: imageShape(raw) };
  };
}

const lookupImage = imageLookup();

function containerLookup(size: boolean): Lookup {
  return async (engine, ref) => {
    const raw = await engine.containers.inspect(ref, { size });
    return { raw, typed: containerShape(raw) };
  };
}

const lookupVolume: Lookup = async (engine, ref) => {
  const raw = engine.volumes.inspect(ref);
  return { raw, typed: volumeShape(raw) };
};

const lookupNetwork: Lookup = async (engine, ref) => {
  const raw = await engine.networks.inspect(ref);
  return { raw, typed: networkShape(raw) };
};

function anyLookup(size: boolean): Lookup {
  return async (engine, ref) => {
    for (const lookup of [containerLookup(size), lookupImage, lookupNetwork, lookupVolume]) {
      try {
        return await lookup(engine, ref);
      } catch (error) {
        if (asSlipwayError(error).kind !== "not_found" && !isSlipwayError(error, "INVALID_IMAGE_NAME")) throw error;
      }
    }
    throw cliError(`Error: No such object: ${ref}`, "NO_SUCH_OBJECT");
  };
}

/** Exit code 64, as Docker's inspect has it for a text that is no template. */
function compile(format: string): CompiledTemplate {
  try {
    return compileTemplate(format);
  } catch (error) {
    const failure = asSlipwayError(error);
    throw new SlipwayError(failure.kind, failure.code, failure.message, { ...failure.details, exitCode: 64 }, error);
  }
}

/** Fields that the object's JSON leaves out are known to the typed form; what only the JSON has, to the raw one. */
function fill(template: CompiledTemplate, object: Inspected): string {
  try {
    return template.fill(object.typed);
  } catch {
    return template.fill(goValueFrom(object.raw), { missingKey: "error" });
  }
}

/** Only containers have sizes; Docker says so for each image. */
function warnOfSize(cli: Cli, raw: unknown): void {
  if (typeof raw === "object" && raw !== null && "RepoTags" in raw) cli.stderr.write("WARNING: --size ignored for image\n");
}

async function inspectAll(cli: Cli, { flags, args, path }: Invocation, lookup: Lookup): Promise<number> {
  const format = flags.string("format");
  const template = format === "" || format === "json" ? undefined : compile(format);
  const engine = await cli.open();
  const found: unknown[] = [];
  const failures: SlipwayError[] = [];
  let text = "";
  for (const ref of args) {
    try {
      const object = await lookup(engine, ref);
      found.push(object.raw);
      if (path === "inspect" && flags.bool("size")) warnOfSize(cli, object.raw);
      if (template !== undefined) text += `${fill(template, object)}\n`;
    } catch (error) {
      const failure = asSlipwayError(error);
      failures.push(failure);
      if (failure.code === "TEMPLATE") break;
    }
  }
  if (template === undefined) text = format === "json" ? formatJsonLine(found) : formatJsonIndented(found);
  const whole = text === "" || template === undefined ? `${text}\n` : text;
  // scripts get the object's text as it is, a terminal without what would move its cursor
  cli.stdout.write(cli.stdout.isTTY ? printable(whole) : whole);
  for (const failure of failures) cli.stderr.write(`${failureLine(failure)}\n`);
  return failures.length > 0 ? 1 : 0;
}

const dockerTypes = ["config", "container", "image", "network", "node", "plugin", "secret", "service", "task", "volume"];

export const runInspect: Handler = async (cli, invocation) => {
  const type = invocation.flags.optional("type");
  if (type === "image") return inspectAll(cli, invocation, lookupImage);
  const size = invocation.flags.bool("size");
  if (type === "container") return inspectAll(cli, invocation, containerLookup(size));
  if (type === "network") return inspectAll(cli, invocation, lookupNetwork);
  if (type === "volume") return inspectAll(cli, invocation, lookupVolume);
  if (type === undefined) return inspectAll(cli, invocation, anyLookup(size));
  const names = dockerTypes.map((name) => JSON.stringify(name)).join(", ");
  if (type === "") throw cliError(`type is empty: must be one of ${names}`);
  throw cliError(
    dockerTypes.includes(type)
      ? `objects of type ${JSON.stringify(type)} are not there; use "image", "container", "network" or "volume"`
      : `unknown type: ${JSON.stringify(type)}: must be one of ${names}`,
  );
};

export const runImageInspect: Handler = async (cli, invocation) => inspectAll(cli, invocation, imageLookup(platformOption(invocation.flags)));
export const runContainerInspect: Handler = (cli, invocation) => inspectAll(cli, invocation, containerLookup(invocation.flags.bool("size")));
export const runVolumeInspect: Handler = (cli, invocation) => inspectAll(cli, invocation, lookupVolume);
export const runNetworkInspect: Handler = (cli, invocation) => inspectAll(cli, invocation, lookupNetwork);
