/** RUN, CMD, ENTRYPOINT, HEALTHCHECK and SHELL: what runs a command, in shell or exec form. */
import { goQuote } from "../base/go-text.ts";
import { parseDuration } from "./duration.ts";
import { parseFlags } from "./flags.ts";
import type { FrontendFeatures } from "./frontend.ts";
import type { CmdInstruction, CommandLine, EntrypointInstruction, HealthcheckInstruction, RunInstruction, ShellInstruction } from "./instruction.ts";
import { syntaxReason } from "./parse-error.ts";
import { checkRunMount } from "./run-mount.ts";
import type { Arguments, InstructionNode } from "./syntax-tree.ts";
import { atLeastOne, baseOf, heredocFromBody } from "./syntax-words.ts";

const runFlags = { mount: "strings", network: "string", device: "strings" } as const;
const networkModes = new Set(["default", "none", "host"]);
const securityModes = new Set(["sandbox", "insecure"]);
const minimumIntervalNs = 1e6;
const maximumRetries = 2 ** 31 - 1;

export function buildRun(node: InstructionNode, features: FrontendFeatures): RunInstruction {
  const flags = parseFlags(node.flags, features.security ? { ...runFlags, security: "string" } : runFlags);
  const mounts = flags.all("mount");
  for (const mount of mounts) checkRunMount(mount);
  const [network] = flags.all("network");
  if (network !== undefined && !networkModes.has(network)) throw syntaxReason(`invalid network mode ${goQuote(network)}`, network);
  const [security] = flags.all("security");
  if (security !== undefined && !securityModes.has(security)) throw syntaxReason(`security ${goQuote(security)} is not valid`, security);
  return { type: "run", ...baseOf(node), command: commandOf(node), mounts, network, security, devices: flags.all("device") };
}

export function buildCmd(node: InstructionNode): CmdInstruction {
  parseFlags(node.flags, {});
  return { type: "cmd", ...baseOf(node), command: commandOf(node) };
}

export function buildEntrypoint(node: InstructionNode): EntrypointInstruction {
  parseFlags(node.flags, {});
  return { type: "entrypoint", ...baseOf(node), command: commandOf(node) };
}

export function buildShell(node: InstructionNode): ShellInstruction {
  parseFlags(node.flags, {});
  const command = commandOf(node);
  if (command.args.length === 0) throw atLeastOne("SHELL");
  if (command.form !== "exec") throw syntaxReason("SHELL requires the arguments to be in JSON form");
  return { type: "shell", ...baseOf(node), shell: command.args };
}

export function buildHealthcheck(node: InstructionNode): HealthcheckInstruction {
  if (node.arguments.form !== "healthcheck") throw atLeastOne("HEALTHCHECK");
  const type = node.arguments.type.toUpperCase();
  const command = commandFromArguments(node.arguments.command, node);
  if (type === "NONE") {
    if (command.args.length > 0) throw syntaxReason("HEALTHCHECK NONE takes no arguments");
    return { type: "healthcheck", ...baseOf(node), check: { none: true } };
  }
  const names = { interval: "string", timeout: "string", "start-period": "string", "start-interval": "string", retries: "string" } as const;
  const flags = parseFlags(node.flags, names);
  if (type !== "CMD") throw syntaxReason(`Unknown type ${goQuote(type)} in HEALTHCHECK (try CMD)`, node.arguments.type);
  if (command.args.length === 0) throw syntaxReason("Missing command after HEALTHCHECK CMD");
  const check = {
    none: false,
    command,
    intervalNs: parseInterval("interval", flags.text("interval")),
    timeoutNs: parseInterval("timeout", flags.text("timeout")),
    startPeriodNs: parseInterval("start-period", flags.text("start-period")),
    startIntervalNs: parseInterval("start-interval", flags.text("start-interval")),
    retries: parseRetries(flags.text("retries")),
  } as const;
  return { type: "healthcheck", ...baseOf(node), check };
}

function commandOf(node: InstructionNode): CommandLine {
  return commandFromArguments(node.arguments, node);
}

function commandFromArguments(parsed: Arguments, node: InstructionNode): CommandLine {
  const heredocs = node.heredocs.map(heredocFromBody);
  if (parsed.form === "json") return { form: "exec", args: parsed.words, heredocs };
  return { form: "shell", args: parsed.form === "words" ? parsed.words : [], heredocs };
}

function parseInterval(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const interval = parseDuration(text);
  if (interval !== 0 && interval < minimumIntervalNs) throw syntaxReason(`Interval ${goQuote(name)} cannot be less than 1ms`);
  return interval;
}

function parseRetries(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[+-]?[0-9]+$/.test(text)) throw syntaxReason(`strconv.ParseInt: parsing ${goQuote(text)}: invalid syntax`);
  const retries = Number(text);
  if (Math.abs(retries) > maximumRetries) throw syntaxReason(`strconv.ParseInt: parsing ${goQuote(text)}: value out of range`);
  if (retries < 0) throw syntaxReason(`--retries cannot be negative (${retries})`);
  return retries;
}
