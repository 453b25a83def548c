/** `events`: what happens to containers, images, networks and volumes, a line each as it happens. */
import type { EventMessage } from "../../engine/events-api.ts";
import { printable } from "../../base/printable.ts";
import { asSlipwayError } from "../../base/errors.ts";
import type { Cli } from "../cli.ts";
import type { Handler } from "../command.ts";
import { exitCodeOf } from "../exit-code.ts";
import { cliError } from "../failure.ts";
import type { ParsedFlags } from "../flags.ts";
import { compileTemplate } from "../go-template.ts";
import { GoStruct } from "../go-value.ts";
import { formatJsonLine } from "../json.ts";
import { formatRfc3339, parseTimestamp } from "../units.ts";
import { filtersFrom } from "./filters.ts";

export const runEvents: Handler = async (cli, { flags }) => {
  const format = formatter(flags.string("format"));
  const [sinceMs, untilMs] = [moment(cli, flags, "since"), moment(cli, flags, "until")];
  const engine = await cli.open();
  const events = engine.system.events({
    filters: filtersFrom(flags.list("filter")),
    signal: cli.signal,
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(untilMs === undefined ? {} : { untilMs }),
  });
  for await (const event of events) cli.stdout.write(`${format(event)}\n`);
  return cli.signal.aborted ? exitCodeOf(asSlipwayError(cli.signal.reason), "other") : 0;
};

function moment(cli: Cli, flags: ParsedFlags, name: "since" | "until"): number | undefined {
  const text = flags.string(name);
  if (text === "") return undefined;
  try {
    return parseTimestamp(text, cli.now());
  } catch (error) {
    throw cliError(asSlipwayError(error).message, "USAGE", {}, error);
  }
}

function formatter(format: string): (event: EventMessage) => string {
  if (format === "") return formatEventLine;
  if (format === "json") return (event) => formatJsonLine(jsonOf(event));
  const template = compile(format);
  return (event) => template.fill(structOf(event), { errorPrefix: "" });
}

/** A field that does not exist is an error before anything happens. */
function compile(format: string): ReturnType<typeof compileTemplate> {
  try {
    const template = compileTemplate(format, "");
    template.fill(structOf({ type: "", action: "", id: "", attributes: {}, timeNano: 0n }), { errorPrefix: "" });
    return template;
  } catch (error) {
    const { message } = asSlipwayError(error);
    throw cliError(`Error parsing format: ${message.replace(/^template parsing error: /, "")}`, "TEMPLATE", { exitCode: 64 }, error);
  }
}

/** Docker's own line. */
export function formatEventLine(event: EventMessage): string {
  const attributes = Object.entries(event.attributes)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join(", ");
  return printable(`${formatTime(event.timeNano)} ${event.type} ${event.action} ${event.id}${attributes === "" ? "" : ` (${attributes})`}`);
}

function formatTime(timeNano: bigint): string {
  const seconds = timeNano / 1_000_000_000n;
  const fraction = String(timeNano % 1_000_000_000n).padStart(9, "0");
  return formatRfc3339(Number(seconds)).replace(/(T\d\d:\d\d:\d\d)/, `$1.${fraction}`);
}

/** Containers and images have the words of Docker's first events besides. */
function formerWords({ type, action, id, attributes }: EventMessage): { readonly status: string; readonly id: string; readonly from: string } {
  if (type === "container") return { status: action, id, from: attributes["image"] ?? "" };
  return type === "image" ? { status: action, id, from: "" } : { status: "", id: "", from: "" };
}

function sortedAttributes({ attributes }: EventMessage): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(attributes).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function jsonOf(event: EventMessage): unknown {
  const former = Object.entries(formerWords(event)).filter(([, value]) => value !== "");
  return {
    ...Object.fromEntries(former),
    Type: event.type,
    Action: event.action,
    Actor: { ID: event.id, Attributes: sortedAttributes(event) },
    scope: "local",
    time: Number(event.timeNano / 1_000_000_000n),
    timeNano: exactNumber(event.timeNano),
  };
}

/** A number that JavaScript's have no room for. */
function exactNumber(value: bigint): unknown {
  const { rawJSON } = JSON as unknown as { rawJSON: (this: void, text: string) => unknown };
  return rawJSON(String(value));
}

function structOf(event: EventMessage): GoStruct {
  const { status, id, from } = formerWords(event);
  const actor = new GoStruct(
    "events.Actor",
    { ID: event.id, Attributes: sortedAttributes(event) },
    { json: { ID: event.id, Attributes: sortedAttributes(event) } },
  );
  const fields = {
    Status: status,
    ID: id,
    From: from,
    Type: event.type,
    Action: event.action,
    Actor: actor,
    Scope: "local",
    Time: Number(event.timeNano / 1_000_000_000n),
    TimeNano: new GoStruct("int64", {}, { json: exactNumber(event.timeNano), text: String(event.timeNano) }),
  };
  return new GoStruct("*events.Message", fields, { json: jsonOf(event) });
}
