/** A target as the words of `build`. */
import { join } from "node:path";
import type { BakeAttributes, BakeFields } from "./bake-attributes.ts";

export interface BuildSurroundings {
  /** a Dockerfile that the target has in itself, as a file */
  readonly inlineFile: string | undefined;
  /** layouts of targets that others take as contexts */
  readonly layouts: ReadonlyMap<string, string>;
}

/** Fields as buildx writes them; what has a comma or a quote is quoted. */
function fieldsText(fields: BakeFields): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${value}`)
    .map((field) => (/[",]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field))
    .join(",");
}

function isRemote(context: string): boolean {
  return /^(?:https?:\/\/|git:\/\/|git@|github\.com\/|-$)/.test(context);
}

export function buildWords(attributes: BakeAttributes, { inlineFile, layouts }: BuildSurroundings): readonly string[] {
  const text = (name: string): string => (typeof attributes[name] === "string" ? attributes[name] : "");
  const list = (name: string): readonly string[] => (Array.isArray(attributes[name]) ? (attributes[name] as readonly string[]) : []);
  const map = (name: string): readonly (readonly [string, string])[] => Object.entries((attributes[name] ?? {}) as BakeFields);
  const fields = (name: string): readonly string[] => (Array.isArray(attributes[name]) ? (attributes[name] as readonly BakeFields[]).map(fieldsText) : []);
  const each = (flag: string, values: readonly string[]): readonly string[] => values.flatMap((value) => [flag, value]);
  const one = (flag: string, name: string): readonly string[] => (text(name) === "" ? [] : [flag, text(name)]);
  const context = text("context");
  const dockerfile = text("dockerfile");
  const contexts = map("contexts").map(
    ([name, value]) => `${name}=${value.startsWith("target:") ? `oci-layout://${layouts.get(value.slice("target:".length)) ?? ""}` : value}`,
  );
  return [
    ...each("--file", [inlineFile ?? (isRemote(context) ? dockerfile : join(context, dockerfile))]),
    ...each("--build-context", contexts),
    ...each(
      "--build-arg",
      map("args").map(([name, value]) => `${name}=${value}`),
    ),
    ...each(
      "--label",
      map("labels").map(([name, value]) => `${name}=${value}`),
    ),
    ...each("--annotation", list("annotations")),
    ...each("--attest", fields("attest")),
    ...each("--tag", list("tags")),
    ...each("--cache-from", fields("cache-from")),
    ...each("--cache-to", fields("cache-to")),
    ...one("--target", "target"),
    ...each("--secret", fields("secret")),
    ...each(
      "--ssh",
      ((attributes["ssh"] ?? []) as readonly BakeFields[]).map(({ id = "", paths }) => (paths === undefined ? id : `${id}=${paths}`)),
    ),
    ...each("--platform", list("platforms")),
    ...each("--output", fields("output")),
    ...(attributes["pull"] === true ? ["--pull"] : []),
    ...(attributes["no-cache"] === true ? ["--no-cache"] : []),
    ...each("--no-cache-filter", list("no-cache-filter")),
    ...one("--network", "network"),
    ...one("--shm-size", "shm-size"),
    ...each("--ulimit", list("ulimits")),
    ...one("--call", "call"),
    ...each("--allow", list("entitlements")),
    ...each(
      "--add-host",
      map("extra-hosts").map(([name, value]) => `${name}:${value}`),
    ),
    "--",
    context,
  ];
}
