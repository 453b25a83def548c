/**
 * conmon keeps a container when the command that started it is gone: it holds the streams, writes the log and the exit code.
 * How it is spoken to: a pipe whose closing lets it begin, a pipe on which it says the container's pid or why there is none.
 */
import { readFileSync } from "node:fs";
import { SlipwayError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";
import type { ContainerFiles } from "./container-host.ts";
import type { OciRuntime } from "./oci-runtime.ts";

export interface MonitorFiles extends Pick<ContainerFiles, "bundle" | "containerPid" | "conmonPid" | "exitDirectory" | "sockets"> {
  /** "" for none */
  readonly log: string;
  readonly persistDirectory: string;
}

export interface ConmonPlan {
  readonly id: string;
  /** of this session: the container's id, or another for a process that is started in it */
  readonly session: string;
  readonly name: string;
  readonly files: MonitorFiles;
  readonly runtime: OciRuntime;
  /** the runtime's options before its command */
  readonly runtimeOptions: readonly string[];
  /** the file that describes a further process of a running container; absent: the container itself */
  readonly execSpec?: string;
  /** a log that is full begins anew; absent: no bound */
  readonly logBytes?: number;
  readonly terminal: boolean;
  readonly openStdin: boolean;
  /** a client may leave and another one come */
  readonly keepStdin: boolean;
  /** run once the container has ended, by /bin/sh */
  readonly exitScript: string;
}

/** Pure. */
export function conmonArguments(plan: ConmonPlan): string[] {
  const { files } = plan;
  return [
    "--cid",
    plan.id,
    "--cuuid",
    plan.session,
    "--name",
    plan.name,
    "--runtime",
    plan.runtime.path,
    ...plan.runtimeOptions.map((option) => `--runtime-arg=${option}`),
    "--bundle",
    files.bundle,
    "--persist-dir",
    files.persistDirectory,
    "--container-pidfile",
    files.containerPid,
    "--conmon-pidfile",
    files.conmonPid,
    "--log-path",
    files.log === "" ? "none" : `k8s-file:${files.log}`,
    ...(plan.logBytes === undefined ? [] : ["--log-size-max", String(plan.logBytes)]),
    "--log-level",
    "error",
    "--exit-dir",
    files.exitDirectory,
    "--full-attach",
    "--socket-dir-path",
    files.sockets,
    "--no-sync-log",
    ...(plan.execSpec === undefined ? [] : ["--api-version", "1", "--exec", "--exec-process-spec", plan.execSpec]),
    ...(plan.terminal ? ["--terminal"] : []),
    ...(plan.openStdin ? ["--stdin"] : []),
    ...(plan.openStdin && plan.keepStdin ? ["--leave-stdin-open"] : []),
    "--exit-command",
    "/bin/sh",
    "--exit-command-arg=-c",
    `--exit-command-arg=${plan.exitScript}`,
  ];
}

export interface ConmonAnswer {
  /** the container's first process, created and waiting to be started; negative when there is none */
  readonly pid: number;
  readonly message: string;
}

const answerTimeoutMs = 60_000;

/** Starts the monitor in a session of its own; resolves when the container is created or could not be. CONMON_FAILED when it says nothing. */
export async function startConmon(conmon: string, plan: ConmonPlan, env: Readonly<Record<string, string>>): Promise<ConmonAnswer> {
  const { spawn } = process.getBuiltinModule("node:child_process");
  const child = spawn(conmon, conmonArguments(plan), {
    cwd: plan.files.bundle,
    detached: true,
    // 3: it answers here; 4: it begins when this one closes. Without a locale it refuses arguments that are not ASCII.
    stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"],
    env: { ...env, _OCI_SYNCPIPE: "3", _OCI_STARTPIPE: "4", TZ: "UTC", LC_ALL: "C.UTF-8" },
  });
  const [, , errors, sync, begin] = child.stdio;
  // a monitor that ends at once never read it: why is on the others
  begin?.on("error", () => undefined);
  const failed = new Promise<never>((_, reject) => {
    child.once("error", (error) => reject(conmonFailed(error.message)));
  });
  const answer = Promise.race([readAnswer(sync), failed]);
  const words = collect(errors);
  if (begin !== undefined && begin !== null && "end" in begin) begin.end("\0");
  const parsed = parseAnswer(await answer);
  child.unref();
  if (parsed !== undefined) return parsed;
  throw conmonFailed(words());
}

/** One line of JSON: {"pid": 123} or {"pid": -1, "message": "…"}. Older ones say {"data": 123}. Pure. */
export function parseAnswer(text: string): ConmonAnswer | undefined {
  try {
    const value: unknown = JSON.parse(text.split("\n", 1)[0] ?? "");
    if (typeof value !== "object" || value === null) return undefined;
    const pid = "pid" in value ? value.pid : "data" in value ? value.data : undefined;
    const message = "message" in value && typeof value.message === "string" ? value.message : "";
    return typeof pid === "number" ? { pid, message } : undefined;
  } catch {
    return undefined;
  }
}

/** pid of the monitor, undefined when it never wrote it. */
export function readPidFile(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(path, "utf8").trim());
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function conmonFailed(words: string): SlipwayError {
  return new SlipwayError(
    "internal",
    "CONMON_FAILED",
    `conmon could not start the container: ${printable(words.trim() === "" ? "it gave no reason" : words.trim())}`,
  );
}

type Readable = AsyncIterable<Buffer>;

function isReadable(stream: unknown): stream is Readable {
  return typeof stream === "object" && stream !== null && Symbol.asyncIterator in stream;
}

/** Up to the first newline: the pipe stays open as long as the container's own copies of it. */
async function readAnswer(stream: unknown): Promise<string> {
  if (!isReadable(stream)) return "";
  const timeout = AbortSignal.timeout(answerTimeoutMs);
  let text = "";
  for await (const chunk of stream) {
    text += chunk.toString("utf8");
    if (text.includes("\n") || text.length > 65_536 || timeout.aborted) break;
  }
  return text;
}

function collect(stream: unknown): () => string {
  let text = "";
  if (isReadable(stream)) {
    void (async () => {
      for await (const chunk of stream) if (text.length < 65_536) text += chunk.toString("utf8");
    })().catch(() => undefined);
  }
  return () => text;
}
