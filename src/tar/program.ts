/** bzip2 and xz, which Node cannot read, through the programs of those names. */
import { once } from "node:events";
import { errnoOf, SlipwayError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";

const packages = { bzip2: "bzip2", xz: "xz-utils" } as const;

export type Program = keyof typeof packages;

const maxStderrBytes = 4096;

/** Fails with PROGRAM_MISSING (failed_precondition), or COMPRESSION_CORRUPT (data_loss) with the program's own words. */
export async function* decompressWithProgram(source: AsyncIterable<Uint8Array>, program: Program, signal?: AbortSignal): AsyncGenerator<Buffer> {
  const { spawn } = process.getBuiltinModule("node:child_process");
  const child = spawn(program, ["-dc"], { stdio: ["pipe", "pipe", "pipe"], ...(signal && { signal }) });
  let startError: unknown;
  child.once("error", (error) => (startError = error));
  let stderr = "";
  child.stderr.on("data", (text: Buffer) => (stderr = (stderr + text.toString()).slice(0, maxStderrBytes)));
  const closed = once(child, "close");
  // Its failure shows in startError; nobody else may be waiting when it comes.
  closed.catch(() => undefined);
  const feeding = feed(source, child.stdin);
  try {
    for await (const chunk of child.stdout) yield chunk as Buffer;
    const feedError = await feeding;
    const [code] = (await closed.catch(() => [1])) as [number | null];
    if (startError !== undefined) throw asStartError(startError, program);
    if (feedError !== undefined) throw feedError;
    if (code !== 0) throw corrupt(program, stderr);
  } finally {
    child.stdout.destroy();
    child.stdin.destroy();
    child.kill();
    // The source is closed when this returns.
    await feeding;
  }
}

/** Writes the source to the program; what the source throws is returned, a closed pipe is the program's affair. */
async function feed(source: AsyncIterable<Uint8Array>, stdin: NodeJS.WritableStream): Promise<unknown> {
  let isOpen = true;
  let wake = (): void => {};
  const close = (): void => {
    isOpen = false;
    wake();
  };
  stdin
    .on("error", close)
    .on("close", close)
    .on("drain", () => wake());
  try {
    for await (const chunk of source) {
      if (!isOpen) return undefined;
      if (stdin.write(chunk)) continue;
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (!isOpen) resolve();
      });
    }
    stdin.end();
    return undefined;
  } catch (error) {
    stdin.end();
    return error;
  }
}

function asStartError(error: unknown, program: Program): unknown {
  if (errnoOf(error) !== "ENOENT") return error;
  return new SlipwayError(
    "failed_precondition",
    "PROGRAM_MISSING",
    `${program} is needed to read this archive and is not on the PATH: apt-get install ${packages[program]}`,
    { program },
    error,
  );
}

function corrupt(program: Program, stderr: string): SlipwayError {
  const words = printable(stderr).trim().split("\n")[0] ?? "";
  const isTruncated = /unexpected end|ends unexpectedly/i.test(words);
  const code = isTruncated ? "COMPRESSION_TRUNCATED" : "COMPRESSION_CORRUPT";
  return new SlipwayError("data_loss", code, `${program}: ${words || "not readable"}`, { kind: program });
}
