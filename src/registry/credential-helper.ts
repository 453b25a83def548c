/**
 * The docker-credential-NAME programs: `get` with the server's name on stdin, JSON on stdout.
 * @see docker/docker-credential-helpers
 */
import { SlipwayError, errnoOf } from "../base/errors.ts";
import { printable } from "../base/printable.ts";
import { Fields, parseJsonObject } from "../oci/bounded-json.ts";
import type { Env } from "./config-files.ts";
import { abortError } from "./network-error.ts";

export interface HelperAnswer {
  readonly username: string;
  readonly secret: string;
}

/** Undefined where the helper knows nothing for the server. */
export type RunHelper = (helper: string, server: string, signal?: AbortSignal) => Promise<HelperAnswer | undefined>;

/** `store` takes a JSON document, `erase` the server's name. */
export type ChangeHelper = (helper: string, action: "store" | "erase", input: string, signal?: AbortSignal) => Promise<void>;

const maxOutputBytes = 64 * 1024;
const timeoutMs = 30_000;
/** the words by which a helper says that it has nothing */
const notFound = "credentials not found in native keychain";

type Action = "get" | "store" | "erase";

const doing: Readonly<Record<Action, string>> = { get: "getting", store: "storing", erase: "erasing" };

function checkName(helper: string, program: string, action: Action): void {
  if (!/^[A-Za-z0-9._-]+$/.test(helper)) throw failure(program, action, `${JSON.stringify(helper.slice(0, 100))} is not the name of a helper`);
}

/** In the words of Docker's client. */
function failure(program: string, action: Action, why: string, output = "", cause?: unknown): SlipwayError {
  const remedy = `mend ${program}, or take "credsStore" out of the config file to keep passwords there as plain text`;
  const details = action === "store" ? { program, remedy } : { program };
  const message = `error ${doing[action]} credentials - err: ${why}, out: \`${output}\``;
  return new SlipwayError("failed_precondition", "CREDENTIAL_HELPER_FAILED", message, details, cause);
}

interface Output {
  readonly exitCode: number | null;
  readonly stdout: Buffer;
}

function runProgram(program: string, action: Action, input: string, env: Env, signal?: AbortSignal): Promise<Output> {
  const { spawn } = process.getBuiltinModule("node:child_process");
  return new Promise((resolve, reject) => {
    const child = spawn(program, [action], { stdio: ["pipe", "pipe", "ignore"], env, killSignal: "SIGKILL", ...(signal && { signal }) });
    // not spawn's own timeout: its timer goes on for a program that was not found
    const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
    const chunks: Buffer[] = [];
    let size = 0;
    child.on("error", (error) => {
      clearTimeout(timer);
      const why = errnoOf(error) === "ENOENT" ? `exec: "${program}": executable file not found in $PATH` : error.message;
      reject(signal?.aborted === true ? abortError(signal) : failure(program, action, why, "", error));
    });
    child.stdout.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxOutputBytes) return void chunks.push(chunk);
      child.kill("SIGKILL");
      reject(failure(program, action, `${program} wrote more than ${maxOutputBytes} bytes`));
    });
    child.on("close", (exitCode, killed) => {
      clearTimeout(timer);
      if (killed === null) resolve({ exitCode, stdout: Buffer.concat(chunks) });
      else reject(failure(program, action, `${program} was ended by ${killed}: no answer within ${timeoutMs / 1000} s`));
    });
    // a helper that ends without reading is no failure by itself
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });
}

/**
 * Runs helpers found on the PATH of `env`. They get 30 s and 64 KiB of output, and the whole environment, which some
 * of them need. Fails with CREDENTIAL_HELPER_FAILED (failed_precondition); what a helper prints as a secret is in no message.
 */
export function createHelperRunner(env: Env): RunHelper {
  return async (helper, server, signal) => {
    const program = `docker-credential-${helper}`;
    checkName(helper, program, "get");
    const { exitCode, stdout } = await runProgram(program, "get", server, env, signal);
    if (exitCode !== 0) {
      const text = printable(stdout.toString("utf8", 0, 500)).trim();
      if (text.includes(notFound)) return undefined;
      throw failure(program, "get", `exit status ${String(exitCode)}`, text);
    }
    const fields = new Fields(parseJsonObject(stdout, `answer of ${program}`, { maxBytes: maxOutputBytes, maxDepth: 4 }), `answer of ${program}`);
    return { username: fields.string("Username") ?? "", secret: fields.string("Secret") ?? "" };
  };
}

/** The same for changes. An entry that is not there is erased already. Fails with CREDENTIAL_HELPER_FAILED (failed_precondition). */
export function createHelperChanger(env: Env): ChangeHelper {
  return async (helper, action, input, signal) => {
    const program = `docker-credential-${helper}`;
    checkName(helper, program, action);
    const { exitCode, stdout } = await runProgram(program, action, input, env, signal);
    if (exitCode === 0) return;
    const text = printable(stdout.toString("utf8", 0, 500)).trim();
    if (action === "erase" && text.includes(notFound)) return;
    throw failure(program, action, `exit status ${String(exitCode)}`, text);
  };
}
