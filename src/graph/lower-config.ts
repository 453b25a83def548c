/** Instructions that only change the image's config. */
import { SlipwayError } from "../base/errors.ts";
import type { Healthcheck } from "../oci/image-config.ts";
import type {
  ArgInstruction,
  CommandLine,
  EnvInstruction,
  ExposeInstruction,
  HealthcheckInstruction,
  LabelInstruction,
  StopsignalInstruction,
  VolumeInstruction,
} from "../dockerfile/instruction.ts";
import { goQuoteList } from "../base/go-text.ts";
import { healthcheckCreatedBy } from "./created-by.ts";
import { expandPorts } from "./expose-ports.ts";
import type { StageState } from "./stage-state.ts";
import { isScanArg } from "./scan-args.ts";
import { setLast, type Variables } from "./variables.ts";

export function commandArgs(state: StageState, command: CommandLine): readonly string[] {
  return command.form === "shell" ? [...state.shell, command.args[0] ?? ""] : command.args;
}

/** `globals` are the ARGs before the first FROM and the platform's variables. */
export function lowerArg(state: StageState, instruction: ArgInstruction, buildArgs: ReadonlyMap<string, string>, globals: Variables): void {
  const shown: string[] = [];
  for (const { key, value } of instruction.args) {
    const fallback = (): string | undefined => (value === undefined ? globals.get(key) : state.expand(value, instruction.lines));
    // a default that is not needed may be faulty
    const given = buildArgs.get(key) ?? fallback();
    if (given !== undefined && isScanArg(key)) state.scanWords.set(key, given);
    else if (given !== undefined) setLast(state.variables, key, given);
    state.declaredArgs.add(key);
    shown.push(given === undefined ? key : `${key}=${given}`);
  }
  state.addHistory(`ARG ${shown.join(" ")}`);
}

export function lowerEnv(state: StageState, instruction: EnvInstruction): void {
  const shown: string[] = [];
  // All values of one line see the variables as they were before it.
  const pairs = instruction.pairs.map(({ key, value }) => ({ key: state.expand(key, instruction.lines), value: state.expand(value, instruction.lines) }));
  for (const { key, value } of pairs) {
    setLast(state.variables, key, value);
    state.env.set(key, value);
    shown.push(`${key}=${value}`);
  }
  state.addHistory(`ENV ${shown.join(" ")}`);
}

export function lowerLabel(state: StageState, instruction: LabelInstruction): void {
  const shown: string[] = [];
  for (const pair of instruction.pairs) {
    const key = state.expand(pair.key, instruction.lines);
    const value = state.expand(pair.value, instruction.lines);
    state.labels.set(key, value);
    shown.push(`${key}=${value}`);
  }
  state.addHistory(`LABEL ${shown.join(" ")}`);
}

export function lowerExpose(state: StageState, instruction: ExposeInstruction): void {
  const specs = instruction.ports.flatMap((word) => state.expandList(word, instruction.lines));
  const ports = specs.flatMap(expandPorts);
  state.config.ExposedPorts = { ...state.config.ExposedPorts, ...Object.fromEntries(ports.map((port) => [port, {}])) };
  state.addHistory(`EXPOSE [${ports.join(" ")}]`);
}

export function lowerVolume(state: StageState, instruction: VolumeInstruction): void {
  const paths = instruction.paths.map((path) => state.expand(path, instruction.lines));
  for (const path of paths)
    if (path === "")
      throw new SlipwayError("invalid_argument", "DOCKERFILE_PARSE", "VOLUME specified can not be an empty string", { lines: instruction.lines });
  state.config.Volumes = { ...state.config.Volumes, ...Object.fromEntries(paths.map((path) => [path, {}])) };
  state.addHistory(`VOLUME [${paths.join(" ")}]`);
}

export function lowerHealthcheck(state: StageState, instruction: HealthcheckInstruction): void {
  const check: Healthcheck = instruction.check.none ? { Test: ["NONE"] } : healthcheckOf(instruction.check);
  state.config.Healthcheck = check;
  state.addHistory(healthcheckCreatedBy(check));
}

function healthcheckOf(check: Exclude<HealthcheckInstruction["check"], { none: true }>): Healthcheck {
  const set = (key: string, value: number | undefined): Record<string, number> => (value === undefined || value === 0 ? {} : { [key]: value });
  return {
    Test: check.command.form === "shell" ? ["CMD-SHELL", ...check.command.args] : ["CMD", ...check.command.args],
    ...set("Interval", check.intervalNs),
    ...set("Timeout", check.timeoutNs),
    ...set("StartPeriod", check.startPeriodNs),
    ...set("StartInterval", check.startIntervalNs),
    ...set("Retries", check.retries),
  };
}

export function lowerCmd(state: StageState, command: CommandLine): void {
  const args = commandArgs(state, command);
  state.config.Cmd = args;
  state.config.ArgsEscaped = true;
  state.cmdSet = true;
  state.addHistory(`CMD ${goQuoteList(args)}`);
}

export function lowerEntrypoint(state: StageState, command: CommandLine): void {
  const args = commandArgs(state, command);
  state.config.Entrypoint = args;
  if (!state.cmdSet) delete state.config.Cmd;
  state.addHistory(`ENTRYPOINT ${goQuoteList(args)}`);
}

const signalNames = new Set(
  "HUP INT QUIT ILL TRAP ABRT IOT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO POLL PWR SYS RTMIN RTMAX".split(
    " ",
  ),
);

export function isSignal(text: string): boolean {
  if (/^[+-]?\d+$/.test(text)) return Number(text) !== 0 && Number.isSafeInteger(Number(text));
  const name = text.toUpperCase().replace(/^SIG/, "");
  const realtime = /^RTM(?:IN\+(\d+)|AX-(\d+))$/.exec(name);
  if (realtime !== null) return Number(realtime[1] ?? realtime[2]) <= 15;
  return signalNames.has(name);
}

export function lowerStopsignal(state: StageState, instruction: StopsignalInstruction): void {
  const signal = state.expand(instruction.signal, instruction.lines);
  if (!isSignal(signal)) throw new SlipwayError("invalid_argument", "INVALID_SIGNAL", `invalid signal: ${signal}`, { lines: instruction.lines, signal });
  state.config.StopSignal = signal;
  state.addHistory(`STOPSIGNAL ${signal}`);
}
