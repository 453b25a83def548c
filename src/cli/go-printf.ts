/** Go's Sprint and Sprintf for the values that templates hold. */
import { formatGoValue, isList, isMap, jsonOf, typeNameOf } from "./go-value.ts";
import type { GoValue } from "./go-value.ts";

/** Blanks stand between operands when neither is a string. */
export function sprint(args: readonly GoValue[]): string {
  return args
    .map((arg, index) => {
      const before = args[index - 1];
      const blank = index > 0 && typeof arg !== "string" && typeof before !== "string";
      return `${blank ? " " : ""}${formatGoValue(arg)}`;
    })
    .join("");
}

export function sprintln(args: readonly GoValue[]): string {
  return `${args.map(formatGoValue).join(" ")}\n`;
}

interface Verb {
  readonly flags: string;
  readonly width: number | undefined;
  readonly precision: number | undefined;
  readonly verb: string;
}

/** Widths beyond this are cut: a template must not fill the memory with blanks. */
const maxWidth = 10_000;

export function sprintf(format: string, args: readonly GoValue[]): string {
  let next = 0;
  const text = format.replace(/%([-+# 0]*)(\d+)?(?:\.(\d*))?(.)?/gsu, (_, flags: string, width?: string, precision?: string, verb?: string) => {
    if (verb === undefined) return "%!(NOVERB)";
    if (verb === "%") return "%";
    if (next >= args.length) return `%!${verb}(MISSING)`;
    return formatVerb(args[next++], {
      flags,
      width: width === undefined ? undefined : Math.min(Number(width), maxWidth),
      precision: precision === undefined ? undefined : Math.min(Number(precision), maxWidth),
      verb,
    });
  });
  const extra = args.slice(next);
  return extra.length === 0 ? text : `${text}%!(EXTRA ${extra.map((arg) => `${typeNameOf(arg)}=${formatGoValue(arg)}`).join(", ")})`;
}

function formatVerb(arg: GoValue, verb: Verb): string {
  const body = bodyOf(arg, verb);
  if (body === undefined) return `%!${verb.verb}(${typeNameOf(arg)}=${formatGoValue(arg)})`;
  const width = verb.width ?? 0;
  if (verb.flags.includes("-")) return body.padEnd(width);
  const zeros = verb.flags.includes("0") && typeof arg === "number";
  if (zeros && body.startsWith("-")) return `-${body.slice(1).padStart(width - 1, "0")}`;
  return body.padStart(width, zeros ? "0" : " ");
}

function bodyOf(arg: GoValue, verb: Verb): string | undefined {
  switch (verb.verb) {
    case "v":
      return verb.flags.includes("#") ? JSON.stringify(jsonOf(arg)) : formatGoValue(arg);
    case "T":
      return typeNameOf(arg);
    case "t":
      return typeof arg === "boolean" ? String(arg) : undefined;
    case "s":
    case "q":
    case "x":
    case "X":
      return typeof arg === "number" ? integerBody(arg, verb) : textBody(arg, verb);
    case "d":
    case "b":
    case "o":
    case "c":
    case "U":
      return typeof arg === "number" && Number.isInteger(arg) ? integerBody(arg, verb) : undefined;
    case "f":
    case "F":
    case "g":
    case "e":
      return typeof arg === "number" && !Number.isInteger(arg) ? floatBody(arg, verb) : undefined;
    default:
      return undefined;
  }
}

function textBody(arg: GoValue, verb: Verb): string | undefined {
  if (isList(arg)) return `[${arg.map((element) => formatVerb(element, { ...verb, width: undefined })).join(" ")}]`;
  if (typeof arg !== "string") return isMap(arg) ? formatGoValue(arg) : undefined;
  const cut = verb.precision === undefined ? arg : [...arg].slice(0, verb.precision).join("");
  if (verb.verb === "s") return cut;
  if (verb.verb === "q") return verb.flags.includes("#") && !cut.includes("`") ? `\`${cut}\`` : JSON.stringify(cut);
  const hex = Buffer.from(cut).toString("hex");
  return verb.verb === "x" ? hex : hex.toUpperCase();
}

function integerBody(arg: number, verb: Verb): string | undefined {
  if (!Number.isInteger(arg)) return undefined;
  const sign = arg >= 0 && verb.flags.includes("+") ? "+" : "";
  switch (verb.verb) {
    case "d":
      return sign + String(arg);
    case "x":
      return (verb.flags.includes("#") ? "0x" : "") + arg.toString(16);
    case "X":
      return (verb.flags.includes("#") ? "0X" : "") + arg.toString(16).toUpperCase();
    case "o":
      return arg.toString(8);
    case "b":
      return arg.toString(2);
    case "c":
      return String.fromCodePoint(Math.min(Math.max(arg, 0), 0x10ffff));
    case "U":
      return `U+${arg.toString(16).toUpperCase().padStart(4, "0")}`;
    case "q":
      return `'${String.fromCodePoint(Math.min(Math.max(arg, 0), 0x10ffff))}'`;
    default:
      return undefined;
  }
}

function floatBody(arg: number, verb: Verb): string {
  const precision = Math.min(verb.precision ?? 6, 100);
  if (verb.verb === "f" || verb.verb === "F") return arg.toFixed(precision);
  if (verb.verb === "e") return arg.toExponential(precision).replace(/e([+-])(\d)$/, "e$10$2");
  return verb.precision === undefined ? String(arg) : String(Number(arg.toPrecision(Math.max(1, precision))));
}
