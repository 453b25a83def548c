/**
 * Another machine's store, over ssh: this program runs there and speaks over its standard streams. A line asks which blobs it lacks, a
 * line answers, then come those as an archive that it loads while it reads, and a line ends it. @see ssh-receive.ts
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { SlipwayError, asSlipwayError, errnoOf } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import type { Digest } from "../../oci/digest.ts";
import { streamSink } from "./archive-sinks.ts";
import { archiveTarget } from "./archive-target.ts";
import type { ImageTarget } from "./image-target.ts";
import { readLine, type FirstLine } from "./first-line.ts";

export interface SshAddress {
  readonly user: string | undefined;
  readonly host: string;
  readonly port: number | undefined;
}

type Env = Readonly<Record<string, string | undefined>>;

/** What ssh is asked to run there. */
export const receiveCommand = "slipway __receive";
const firstAnswerMs = 120_000;
const maxStderrBytes = 8 * 1024;
const maxLineBytes = 4 * 1024 * 1024;

interface Remote {
  readonly child: ChildProcess;
  /** the answers, line by line */
  readonly answers: FirstLine;
  /** Why it ended, as well as its words tell. */
  failure(): Promise<SlipwayError>;
}

function start({ user, host, port }: SshAddress, env: Env, signal: AbortSignal | undefined): Remote {
  const destination = user === undefined ? host : `${user}@${host}`;
  const words = [...(port === undefined ? [] : ["-p", String(port)]), "-o", "BatchMode=yes", "-T", "--", destination, receiveCommand];
  const child = spawn("ssh", words, { env, stdio: ["pipe", "pipe", "pipe"], ...(signal === undefined ? {} : { signal }) });
  let said = "";
  let broken: unknown;
  child.stderr.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-maxStderrBytes)));
  child.on("error", (error) => (broken = error));
  child.stdin.on("error", () => {});
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve).on("error", () => resolve(null)));
  const failure = async (): Promise<SlipwayError> => sshFailure(host, await ended, printable(said.trim()), broken);
  return { child, answers: readLine(child.stdout, maxLineBytes), failure };
}

function sshFailure(host: string, code: number | null, said: string, broken: unknown): SlipwayError {
  const fail = (message: string, remedy?: string): SlipwayError =>
    new SlipwayError("unavailable", "SSH_FAILED", message, { host, exitStatus: code, bare: true, ...(remedy === undefined ? {} : { remedy }) }, broken);
  if (errnoOf(broken) === "ENOENT") return fail("ssh is not on this machine's PATH", "install an ssh client: apt-get install -y openssh-client");
  if (broken !== undefined) return asSlipwayError(broken, "unavailable", "SSH_FAILED");
  const words = said === "" ? "" : `: ${said}`;
  if (code === 127 || code === 126)
    return fail(`${host} has no slipway on the PATH of its shell${words}`, `install slipway on ${host}, or link it into /usr/local/bin there`);
  if (code === 255) return fail(`ssh could not reach ${host}${words}`);
  if (code === null) return fail(`slipway on ${host} did not answer${words}`);
  return fail(`slipway on ${host} ended with ${code}${words}`);
}

/** Fails with SSH_FAILED (unavailable) and with what the other side refuses. `names` are full. */
export function sshTarget(place: string, address: SshAddress, name: string, env: Env, signal?: AbortSignal): ImageTarget {
  const remote = start(address, env, signal);
  const { child, answers } = remote;
  const have = new Set<string>();

  async function answer(): Promise<Record<string, unknown>> {
    const line = await answers.next();
    if (line === undefined) throw await remote.failure();
    const message = JSON.parse(line) as { readonly error?: { readonly kind: SlipwayError["kind"]; readonly code: string; readonly message: string } };
    if (message.error === undefined) return message;
    const { kind, code, message: text } = message.error;
    throw new SlipwayError(kind, code, `${address.host}: ${printable(String(text))}`, { host: address.host });
  }

  async function write(bytes: Uint8Array): Promise<void> {
    if (child.stdin === null || child.stdin.destroyed) throw await remote.failure();
    const flushed = child.stdin.write(bytes);
    if (flushed) return;
    try {
      await Promise.race([once(child.stdin, "drain"), once(child.stdin, "close")]);
    } catch {
      throw await remote.failure();
    }
  }

  const sink = streamSink(async (archive) => {
    for await (const chunk of archive) await write(chunk);
    child.stdin?.end();
    await answer();
  });
  const target = archiveTarget(place, sink, { format: "docker", names: [name], has: (digest: Digest) => have.has(digest) });
  return {
    ...target,
    prepare: async ({ blobs }) => {
      await write(Buffer.from(`${JSON.stringify({ protocol: 1, blobs: blobs.map(({ digest }) => digest) })}\n`));
      // what is on the other side of the connection may be anything
      const deadline = setTimeout(() => child.kill(), firstAnswerMs);
      const { have: known } = await answer().finally(() => clearTimeout(deadline));
      for (const digest of Array.isArray(known) ? known : []) have.add(String(digest));
    },
    async [Symbol.asyncDispose]() {
      await target[Symbol.asyncDispose]();
      child.stdin?.destroy();
      if (child.exitCode === null) child.kill();
    },
  };
}
