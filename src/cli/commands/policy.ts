/** `policy`: what policies say of images, what was overridden, and files to begin with. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { printable } from "../../base/printable.ts";
import { SlipwayError } from "../../base/errors.ts";
import { userMode } from "../../base/umask.ts";
import type { PolicyCheck, PolicyLogEntry, PolicyVerdict } from "../../engine/api.ts";
import type { Cli } from "../cli.ts";
import type { Handler } from "../command.ts";
import { cliError } from "../failure.ts";
import { formatJsonLine } from "../json.ts";
import { fileError } from "./archive-file.ts";
import { readSmallFile } from "./small-file.ts";
import { outputForm } from "./output-form.ts";

function verdictText({ policy, scope, line, mode, refused, held }: PolicyVerdict): string {
  const said = refused === undefined ? "accepted" : mode === "audit" ? "would be refused (audit)" : "refused";
  const lines = held.map((text) => `    ${text}\n`);
  const why = refused === undefined ? "" : `    ${refused.rule}: ${refused.reason.replaceAll("\n", "\n      ")}\n`;
  return `  ${said} by ${policy}:${line}, ${scope}\n${lines.join("")}${why}`;
}

export function checkText({ reference, isAccepted, verdicts }: PolicyCheck): string {
  if (verdicts.length === 0) return `${reference}: there is no policy\n`;
  return `${reference}: ${isAccepted ? "accepted" : "refused"}\n${verdicts.map(verdictText).join("")}`;
}

/** `isVerification`: without a policy nothing was verified, which is a failure then: POLICY_NOT_FOUND (not_found). */
export async function checkImages(
  cli: Cli,
  images: readonly string[],
  form: "text" | "json",
  { quiet = false, isVerification = false }: { readonly quiet?: boolean; readonly isVerification?: boolean } = {},
): Promise<number> {
  const engine = await cli.open();
  let code = 0;
  for (const image of images) {
    const check = await engine.policy.check(image, { signal: cli.signal });
    if (isVerification && check.verdicts.length === 0) {
      const remedy = "slipway policy init writes one; policy check tells whether there is one";
      throw new SlipwayError("not_found", "POLICY_NOT_FOUND", `${check.reference} is not verified: there is no policy`, { remedy, bare: true });
    }
    if (!check.isAccepted) code = 1;
    if (form === "json") cli.stdout.write(`${formatJsonLine(check)}\n`);
    else if (!quiet) cli.stdout.write(printable(checkText(check)));
    else if (check.isAccepted) cli.stdout.write(`${check.reference}\n`);
  }
  return code;
}

export const runPolicyCheck: Handler = async (cli, { flags, args }) => await checkImages(cli, args, outputForm(flags));

function writeNew(cli: Cli, file: string, text: string, force: boolean): void {
  const target = path.resolve(cli.cwd, file);
  if (!force && existsSync(target)) throw cliError(`${file} is there already: --force replaces it`, "OUTPUT_FILE");
  try {
    mkdirSync(path.dirname(target), { recursive: true });
    // a policy that anybody may write is none
    writeFileSync(target, text, { mode: userMode("file") & ~0o022 });
  } catch (error) {
    throw fileError("open", file, error, "OUTPUT_FILE");
  }
}

export const runPolicyImport: Handler = async (cli, { flags, args: [file = ""] }) => {
  const engine = await cli.open();
  const output = flags.optional("output");
  const imported = await engine.policy.import(readSmallFile(cli, file), { path: path.resolve(cli.cwd, file) });
  for (const note of imported.notes) cli.stderr.write(`NOTE: ${printable(note)}\n`);
  if (output === undefined) {
    if (imported.files.length > 0) throw cliError(`${imported.files.map(({ name }) => name).join(", ")} belong to it: --output says where to write all`);
    cli.stdout.write(imported.text);
    return 0;
  }
  for (const { name, text } of imported.files) writeNew(cli, path.join(path.dirname(output), name), text, true);
  writeNew(cli, output, imported.text, false);
  return 0;
};

export const runPolicyInit: Handler = async (cli, { flags, args }) => {
  const { starterPolicy } = await import("../../engine/policy/starter-policy.ts");
  const { parsePolicy } = await import("../../engine/policy/policy-file.ts");
  const engine = await cli.open();
  const keys = flags.list("key").map((file) => path.resolve(cli.cwd, file));
  for (const key of keys) readSmallFile(cli, key);
  const own = (await engine.policy.files()).at(-1)?.path ?? "";
  const output = flags.optional("output") ?? own;
  const text = starterPolicy({ keys, scopes: args, unsigned: flags.list("unsigned"), audit: flags.bool("audit") });
  parsePolicy(text, output);
  if (output === "-") cli.stdout.write(text);
  else {
    writeNew(cli, output, text, flags.bool("force"));
    cli.stdout.write(`${output}\n`);
  }
  return 0;
};

function entryText({ time, kind, use, reference, policy, scope, rule, reason, because }: PolicyLogEntry): string {
  const said = because === "" ? "" : `\n  because: ${because}`;
  return `${time} ${kind} ${use} ${reference}\n  ${rule} of ${scope}, ${policy}: ${reason.replaceAll("\n", "\n    ")}${said}\n`;
}

export const runPolicyLog: Handler = async (cli, { flags }) => {
  const form = outputForm(flags);
  const engine = await cli.open();
  for (const entry of await engine.policy.log()) cli.stdout.write(form === "json" ? `${formatJsonLine(entry)}\n` : printable(entryText(entry)));
  return 0;
};
