/** What `build --call=outline`, `targets` and `subrequests.describe` print. */
import { printable } from "../../base/printable.ts";
import type { OutlineResult, TargetsResult } from "../../engine/api.ts";
import { alignColumns } from "../table.ts";
import { formatCallJson, locationOf, sourceData } from "./call-json.ts";

function table(rows: readonly (readonly string[])[], padding: number): string {
  return alignColumns(rows.map((cells) => `${cells.map(printable).join("\t")}\n`).join(""), { minWidth: 0, padding });
}

function parts(tables: readonly string[]): string {
  return tables.map((text) => `${text}\n`).join("");
}

export function formatOutlineText({ name, description, args, secrets, ssh }: OutlineResult): string {
  const shownName = name === "" ? "(default)" : name;
  const target = [["TARGET:", shownName], ...(description === "" ? [] : [["DESCRIPTION:", description]])];
  const requirements = (title: string, mounts: OutlineResult["secrets"]) => [
    [title, "REQUIRED"],
    ...mounts.map((mount) => [mount.name, mount.required ? "true" : ""]),
  ];
  return parts([
    ...(name === "" && description === "" ? [] : [table(target, 1)]),
    ...(args.length === 0 ? [] : [table([["BUILD ARG", "VALUE", "DESCRIPTION"], ...args.map((arg) => [arg.name, arg.value ?? "", arg.description])], 3)]),
    ...(secrets.length === 0 ? [] : [table(requirements("SECRET", secrets), 3)]),
    ...(ssh.length === 0 ? [] : [table(requirements("SSH", ssh), 3)]),
  ]);
}

export function formatOutlineJson({ name, description, args, secrets, ssh, source }: OutlineResult): string {
  const mount = (entry: OutlineResult["secrets"][number]) => ({
    name: entry.name,
    ...(entry.required ? { required: true } : {}),
    location: locationOf(entry.lines),
  });
  return formatCallJson({
    ...unlessEmpty("name", name),
    ...unlessEmpty("description", description),
    ...unlessNone(
      "args",
      args.map((arg) => ({
        name: arg.name,
        ...unlessEmpty("description", arg.description),
        ...unlessEmpty("value", arg.value ?? ""),
        location: locationOf(arg.lines),
      })),
    ),
    ...unlessNone("secrets", secrets.map(mount)),
    ...unlessNone("ssh", ssh.map(mount)),
    sources: [sourceData(source)],
  });
}

function unlessEmpty(key: string, value: string): Readonly<Record<string, string>> {
  return value === "" ? {} : { [key]: value };
}

function unlessNone(key: string, values: readonly unknown[]): Readonly<Record<string, readonly unknown[]>> {
  return values.length === 0 ? {} : { [key]: values };
}

export function formatTargetsText({ targets }: TargetsResult): string {
  const rows = targets.map(({ name, isDefault, description }) => {
    const shown = isDefault ? [name, "(default)"].filter((word) => word !== "").join(" ") : name;
    return [shown, description];
  });
  return table([["TARGET", "DESCRIPTION"], ...rows], 1);
}

export function formatTargetsJson({ targets, source }: TargetsResult): string {
  const listed = targets.map(({ name, isDefault, description, base, platform, lines }) => ({
    ...unlessEmpty("name", name),
    ...(isDefault ? { default: true } : {}),
    ...unlessEmpty("description", description),
    base,
    ...unlessEmpty("platform", platform ?? ""),
    location: locationOf(lines),
  }));
  return formatCallJson({ targets: listed, sources: [sourceData(source)] });
}

const calls = [
  { name: "outline", description: "List all parameters current build target supports", opts: [{ name: "target", description: "Target build stage" }] },
  { name: "targets", description: "List all targets current build supports", opts: [] },
  { name: "subrequests.describe", description: "List available subrequest types", opts: null },
];
const version = "1.0.0";

/** As Docker lists them: without check, which is none of these to it. */
export function describeCalls(json: boolean): string {
  if (!json) return table([["NAME", "VERSION", "DESCRIPTION"], ...calls.map(({ name, description }) => [name, version, description])], 1);
  const metadata = ["result.json", "result.txt"].map((name) => ({ name, description: "" }));
  return formatCallJson(
    calls.map(({ name, description, opts }) => ({
      name: `frontend.${name}`,
      version,
      type: "rpc",
      description,
      opts,
      inputs: null,
      metadata,
      refs: null,
    })),
  );
}
