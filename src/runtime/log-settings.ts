/** `--log-driver` and `--log-opt`: logs are files that the monitor writes, bounded where that was asked for. Pure. */
import { SlipwayError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";

export interface LogSettings {
  /** none: nobody may read them afterwards */
  readonly driver: "json-file" | "local" | "none";
  readonly options: Readonly<Record<string, string>>;
}

const drivers = ["json-file", "local", "none"] as const;
/** Docker's others: each needs a service of its own. */
const foreignDrivers = ["awslogs", "etwlogs", "fluentd", "gcplogs", "gelf", "journald", "splunk", "syslog"];
const localDefaults = { "max-size": "20m", "max-file": "5" };
/** of a log that nobody may read: who is attached reads it meanwhile */
const unreadBytes = 1_000_000;

/** Undefined for what is Docker's default. INVALID_LOG_SETTING (invalid_argument) in Docker's words. */
export function parseLogSettings(driver: string, options: readonly string[]): LogSettings | undefined {
  if (driver === "" && options.length === 0) return undefined;
  const known = drivers.find((name) => name === (driver === "" ? "json-file" : driver));
  if (known === undefined) throw refused(foreignDrivers.includes(driver) ? foreign(driver) : missing(driver));
  const settings: LogSettings = { driver: known, options: Object.fromEntries(options.map(splitOnce).toSorted(([a], [b]) => (a < b ? -1 : 1))) };
  const names = Object.keys(settings.options);
  if (known === "none" && names.length > 0) throw refused("invalid logging opts for driver none");
  const unknown = names.find((name) => !["max-size", "max-file"].includes(name));
  if (unknown !== undefined) throw refused(unknownOption(unknown, known));
  maximumLogBytes(settings);
  return settings;
}

function missing(driver: string): string {
  return `error looking up logging plugin ${driver}: plugin "${driver}" not found`;
}

function foreign(driver: string): string {
  return `logging driver ${JSON.stringify(driver)} cannot be had: logs are files (json-file, local, none)`;
}

/** Docker's drivers have more; what they would add to each line is not kept here. */
const unkept = ["compress", "labels", "labels-regex", "env", "env-regex", "tag", "mode", "max-buffer-size"];

function unknownOption(name: string, driver: string): string {
  if (unkept.includes(name)) return `log opt '${name}' cannot be had: logs are files that max-size and max-file bound`;
  return driver === "local" ? `unknown log opt '${name}' for log driver local` : `unknown log opt '${name}' for json-file log driver`;
}

function splitOnce(text: string): readonly [string, string] {
  const equals = text.indexOf("=");
  return equals < 0 ? [text, ""] : [text.slice(0, equals), text.slice(equals + 1)];
}

/** What all files of a log may take together; undefined: no bound. A log that is full begins anew. INVALID_LOG_SETTING. */
export function maximumLogBytes(settings: LogSettings | undefined): number | undefined {
  if (settings === undefined) return undefined;
  if (settings.driver === "none") return unreadBytes;
  const { "max-size": size = "-1", "max-file": files = "1" } = { ...(settings.driver === "local" ? localDefaults : {}), ...settings.options };
  if (!/^[+-]?\d+$/.test(files)) throw refused(`failed to initialize logging driver: strconv.Atoi: parsing ${JSON.stringify(files)}: invalid syntax`);
  if (Number(files) < 1) throw refused("failed to initialize logging driver: max-file cannot be less than 1");
  // without a size there is never a second file
  if (size === "-1" && settings.options["max-size"] === undefined) return undefined;
  return bytesOf(size) * Number(files);
}

const units = ["", "k", "m", "g", "t", "p"];

function bytesOf(text: string): number {
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?) ?([kmgtp]?)b?$/i.exec(text) ?? [];
  if (number === undefined) throw refused(`failed to initialize logging driver: invalid size: '${text}'`);
  const bytes = Math.floor(Number(number) * 1000 ** units.indexOf(unit.toLowerCase()));
  if (bytes <= 0) throw refused("failed to initialize logging driver: max-size must be a positive number");
  return bytes;
}

function refused(message: string): SlipwayError {
  return new SlipwayError("invalid_argument", "INVALID_LOG_SETTING", printable(message));
}
