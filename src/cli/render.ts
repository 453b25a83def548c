/** `--format`: rows as a table, as JSON lines or through a template; one object through a template. */
import { compileTemplate } from "./go-template.ts";
import { formatGoValue, GoStruct, goValueFrom } from "./go-value.ts";
import type { GoMethod, GoValue } from "./go-value.ts";
import { formatJsonLine } from "./json.ts";
import { alignColumns } from "./table.ts";

/** One row: each field as Docker's formatter shows it. Lazily, because some cost time or need data that is not there. */
export interface RowType<Row> {
  /** "*formatter.imageContext": what an unknown field's error names */
  readonly typeName: string;
  readonly fields: Readonly<Record<string, (row: Row) => GoValue>>;
  /** headings of the fields that have one other than their name in capitals */
  readonly headings: Readonly<Record<string, string>>;
  readonly methods?: Readonly<Record<string, (row: Row) => GoMethod>>;
  /** fields that `json` leaves out */
  readonly notInJson?: readonly string[];
  /** begins the message of a template that fails on a row */
  readonly errorPrefix?: string;
}

export interface ListFormat {
  /** the value of --format; "" for the default table */
  readonly format: string;
  /** the template of the default table */
  readonly table: string;
  readonly quiet?: boolean;
  /** printed with --quiet instead of the table */
  readonly quietField?: string;
  /** `--format raw` */
  readonly raw?: string;
}

/** One row as a template sees it. */
export function structOf<Row>(type: RowType<Row>, row: Row): GoStruct {
  const fields: Record<string, GoValue> = {};
  const json: Record<string, unknown> = {};
  for (const [name, read] of Object.entries(type.fields).sort(([a], [b]) => (a < b ? -1 : 1))) {
    Object.defineProperty(fields, name, { enumerable: true, get: () => read(row) });
    if (!type.notInJson?.includes(name)) Object.defineProperty(json, name, { enumerable: true, get: () => read(row) });
  }
  const methods = Object.fromEntries(Object.entries(type.methods ?? {}).map(([name, bind]) => [name, bind(row)]));
  return new GoStruct(type.typeName, fields, { json, methods, escapesHtml: true });
}

function headingsOf<Row>(type: RowType<Row>): GoStruct {
  const names = Object.keys(type.fields);
  const fields = Object.fromEntries(names.map((name) => [name, type.headings[name] ?? name.toUpperCase()]));
  const methods: Record<string, GoMethod> = {};
  for (const name of Object.keys(type.methods ?? {})) methods[name] = (...args) => lastPart(formatGoValue(args[0] ?? ""));
  return new GoStruct(type.typeName, fields, { methods });
}

/** The heading of `{{.Label "com.example.my-name"}}` is "my name". */
function lastPart(label: string): string {
  return (label.split(".").at(-1) ?? "").replaceAll(/[-_]/g, " ");
}

const rawTab = /\\t/g;
const rawNewline = /\\n/g;

function templateOf(options: ListFormat): { readonly kind: "table" | "json" | "plain"; readonly text: string } {
  const format = options.format.trim();
  if (options.quiet === true && (format === "" || format === "table")) return { kind: "plain", text: `{{.${options.quietField}}}` };
  if (format === "json") return { kind: "json", text: "" };
  if (format === "raw" && options.raw !== undefined) return { kind: "plain", text: options.raw };
  const isTable = format === "" || format.startsWith("table");
  const own = isTable ? format.slice("table".length).trim() : format;
  const text = (isTable && own === "" ? options.table : own).replace(rawTab, "\t").replace(rawNewline, "\n");
  return { kind: isTable ? "table" : "plain", text };
}

/** What a listing command prints. Fails with TEMPLATE (invalid_argument). */
export function renderRows<Row>(rows: readonly Row[], type: RowType<Row>, options: ListFormat): string {
  const { kind, text } = templateOf(options);
  if (kind === "json") return rows.map((row) => `${formatJsonLine(structOf(type, row).json)}\n`).join("");
  const template = compileTemplate(text);
  const fill = type.errorPrefix === undefined ? {} : { errorPrefix: type.errorPrefix };
  const lines = rows.map((row) => `${template.fill(structOf(type, row), fill)}\n`);
  // a field that does not exist is an error even when there is no row to show it
  const heading = template.fillHeading(headingsOf(type));
  return kind === "table" ? alignColumns(`${heading}\n${lines.join("")}`) : lines.join("");
}

/** Objects as structs: a field that is not there is an error. Keys that users choose (labels, ports) stay maps. */
export function structFrom(value: unknown, typeName: string, mapKeys: ReadonlySet<string>): GoValue {
  if (Array.isArray(value)) return value.map((element) => structFrom(element, typeName, mapKeys));
  if (typeof value !== "object" || value === null) return goValueFrom(value);
  const fields: Record<string, GoValue> = {};
  for (const [key, inner] of Object.entries(value)) fields[key] = mapKeys.has(key) ? goValueFrom(inner) : structFrom(inner, `${typeName}.${key}`, mapKeys);
  return new GoStruct(typeName, fields, { json: value });
}

/** `version` and `info`: one object through a template, or as JSON. `name` stands in messages. Fails with TEMPLATE (invalid_argument). */
export function renderOne(format: string, value: GoStruct, name: string): string {
  if (format === "json") return formatJsonLine(value.json);
  return compileTemplate(format, name).fill(value, { errorPrefix: "" });
}
