/**
 * Health checks of a running container: a small shell beside the monitor runs them as long as the container lives, whoever started it. It
 * writes what it finds below the container's directory; `inspect` and `ps` read that. Nobody else has to be there.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { errnoOf } from "../base/errors.ts";
import type { Healthcheck } from "../oci/image-config.ts";
import { containerEvent, tellCommand } from "./container-events.ts";
import { containerFiles, type ContainerFiles, type ContainerHost } from "./container-host.ts";
import type { ContainerRecord } from "./container-records.ts";
import { isUp } from "./container-status.ts";
import { startTimeTicks } from "./death-watch.ts";
import { execProcess } from "./exec-process.ts";
import { probeScript } from "./health-script.ts";
import { isAlive } from "./live-process.ts";
import { runtimeCall, type OciRuntime } from "./oci-runtime.ts";

export type HealthStatus = "starting" | "healthy" | "unhealthy";

export interface HealthResult {
  /** RFC 3339 */
  readonly start: string;
  readonly end: string;
  /** -1: it took too long */
  readonly exitCode: number;
  readonly output: string;
}

export interface Health {
  readonly status: HealthStatus;
  readonly failingStreak: number;
  /** the last five, the newest last */
  readonly log: readonly HealthResult[];
}

const secondNs = 1e9;
const defaults = { intervalNs: 30 * secondNs, timeoutNs: 30 * secondNs, startIntervalNs: 5 * secondNs, retries: 3 };
const keptResults = 5;

/** What the container runs; undefined for one without checks. Pure. */
export function probeOf(check: Healthcheck | undefined, shell: readonly string[] | undefined): readonly string[] | undefined {
  const [kind, ...words] = check?.Test ?? [];
  if (kind === "CMD" && words.length > 0) return words;
  if (kind === "CMD-SHELL" && words.length > 0) return [...(shell?.length ? shell : ["/bin/sh", "-c"]), ...words];
  return undefined;
}

type HealthFiles = Pick<ContainerFiles, "health" | "healthPid" | "runtimeRoot">;

/**
 * To be called while the container is created and waits for its start: one that ends at once has no files to look its user up in. The record is
 * that of the run which begins now. Answers what starts the checks; nothing for a container without any.
 */
export function prepareHealthChecks(host: ContainerHost, record: ContainerRecord, runtime: OciRuntime): () => void {
  const files = containerFiles(host, record);
  const { healthcheck, shell } = record.config;
  const probe = probeOf(healthcheck, shell);
  if (probe === undefined || healthcheck === undefined) return () => undefined;
  mkdirSync(`${files.health}/log`, { recursive: true, mode: 0o700 });
  for (const name of ["state", "held"]) rmSync(`${files.health}/${name}`, { force: true });
  const spec = probeProcess(record, runtime, probe);
  if (spec === undefined) return () => undefined;
  writeFileSync(`${files.health}/process.json`, spec, { mode: 0o600 });
  const exec = runtimeCall(runtime, { root: files.runtimeRoot, cgroups: true }, [
    "exec",
    "--process",
    `${files.health}/process.json`,
    "--pid-file",
    `${files.health}/probe.pid`,
    record.id,
  ]);
  const env = {
    ...settings(record, healthcheck, files),
    ON_STATUS: tellCommand(host, (status) => containerEvent(record, `health_status: ${status}`), "$status"),
  };
  return () => startSupervisor([exec.file, ...exec.args], env, files);
}

function startSupervisor(probe: readonly string[], given: Readonly<Record<string, string>>, files: HealthFiles): void {
  const { spawn } = process.getBuiltinModule("node:child_process");
  const child = spawn("/bin/sh", ["-c", probeScript, "health", ...probe], {
    cwd: "/",
    detached: true,
    stdio: "ignore",
    env: { PATH: process.env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C", ...given },
  });
  child.unref();
  if (child.pid !== undefined) writeFileSync(files.healthPid, `${child.pid} ${startTimeTicks(child.pid) ?? ""}\n`);
}

/** undefined: the container has ended already, and there is nothing to check. */
function probeProcess(record: ContainerRecord, runtime: OciRuntime, probe: readonly string[]): string | undefined {
  try {
    return JSON.stringify(execProcess(record, runtime, { args: probe, env: [], terminal: false }, `/proc/${record.state.pid}/root`));
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ESRCH") return undefined;
    throw error;
  }
}

function settings({ state }: ContainerRecord, check: Healthcheck, files: HealthFiles): Readonly<Record<string, string>> {
  const timeoutNs = check.Timeout || defaults.timeoutNs;
  return {
    DIRECTORY: files.health,
    CONTAINER: String(state.pid),
    TICKS: state.startTimeTicks,
    INTERVAL: seconds(check.Interval || defaults.intervalNs),
    START_INTERVAL: seconds(check.StartInterval || defaults.startIntervalNs),
    START_PERIOD_MS: String(Math.round((check.StartPeriod ?? 0) / 1e6)),
    TIMEOUT: seconds(timeoutNs),
    TIMEOUT_MS: String(Math.round(timeoutNs / 1e6)),
    RETRIES: String(check.Retries || defaults.retries),
    SEQUENCE: String((results(files.health).at(-1) ?? 0) + 1),
    KEPT: String(keptResults),
  };
}

/** As sleep(1) takes it. */
function seconds(ns: number): string {
  return (ns / secondNs).toFixed(6);
}

/** Undefined for a container without checks, and for one that was never started. */
export function readHealth(record: ContainerRecord, files: HealthFiles): Health | undefined {
  if (probeOf(record.config.healthcheck, record.config.shell) === undefined || statSync(files.health, { throwIfNoEntry: false }) === undefined)
    return undefined;
  const [status = "starting", streak = "0"] = readText(`${files.health}/state`).trim().split(" ");
  const log = results(files.health).map((sequence) => parseResult(readText(`${files.health}/log/${sequence}`), record.config.healthcheck));
  const failingStreak = Number(streak);
  // nobody looks any more
  if (!isUp(record.state)) return { status: "unhealthy", failingStreak, log };
  if (!isSupervised(files)) return { status: "unhealthy", failingStreak, log: [...log, lostSupervisor].slice(-keptResults) };
  return { status: status === "healthy" || status === "unhealthy" ? status : "starting", failingStreak, log };
}

const lostSupervisor: HealthResult = {
  start: "0001-01-01T00:00:00Z",
  end: "0001-01-01T00:00:00Z",
  exitCode: -1,
  output: "the process that ran the health checks was ended: restart the container to have it again",
};

function isSupervised({ healthPid }: HealthFiles): boolean {
  const [pid = "", ticks = ""] = readText(healthPid).trim().split(" ");
  return isAlive({ pid: Number(pid), startTimeTicks: ticks });
}

function results(directory: string): readonly number[] {
  try {
    return readdirSync(`${directory}/log`)
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .toSorted((a, b) => a - b);
  } catch {
    return [];
  }
}

const longestOutput = 4096;

/** A line "START END CODE", then the output. Pure. */
export function parseResult(text: string, check: Healthcheck | undefined): HealthResult {
  const end = text.indexOf("\n");
  const [start = "", ended = "", code = ""] = text.slice(0, Math.max(0, end)).split(" ");
  const raw = text.slice(end + 1);
  const output = raw.length > longestOutput ? `${raw.slice(0, longestOutput)}...` : raw;
  if (code !== "late") return { start, end: ended, exitCode: Number(code), output };
  const late = `Health check exceeded timeout (${goDuration(check?.Timeout || defaults.timeoutNs)})`;
  return { start, end: ended, exitCode: -1, output: output === "" ? late : `${late}: ${output}` };
}

/** "1.5s", "1m30s", "500ms". Pure. */
export function goDuration(ns: number): string {
  const whole = (value: number): string => String(Number(value.toFixed(9)));
  if (ns < secondNs) return `${whole(ns / 1e6)}ms`;
  const all = ns / secondNs;
  const [hours, minutes] = [Math.floor(all / 3600), Math.floor((all % 3600) / 60)];
  return `${hours > 0 ? `${hours}h` : ""}${hours > 0 || minutes > 0 ? `${minutes}m` : ""}${whole(all % 60)}s`;
}

/** For the monitor's exit command: ends the checks and the probe that runs just now. */
export function endHealthCommand(files: Pick<ContainerFiles, "healthPid">): string {
  const same = `read -r pid ticks <'${files.healthPid}' && read -r stat </proc/$pid/stat && set -- \${stat##*)} && [ "\${20}" = "$ticks" ]`;
  return `{ ${same} && kill -s KILL -- "-$pid"; }`;
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
