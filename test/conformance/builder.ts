/** Builds cases with a program that takes Docker's command line, and reads what came out. */
import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import path from "node:path";
import type { ConformanceCase } from "./case-file.ts";
import { failureFrom, internalNames, normalizeConfig, type Outcome } from "./outcome.ts";
import { describeChanges, readSavedImage, type Tree } from "./read-image.ts";
import { startWebServer, writeContext } from "./write-context.ts";

export interface Program {
  /** the words before Docker's own */
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** contexts are written here … */
  readonly directory: string;
  /** … and lie there for the program, which may live behind a chroot */
  readonly seenAs: string;
  /** words of every build */
  readonly buildFlags: readonly string[];
}

export interface Finished {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export function call(program: Program, args: readonly string[], input?: Uint8Array, env: Readonly<Record<string, string>> = {}): Promise<Finished> {
  const [file = "", ...first] = program.words;
  const child = spawn(file, [...first, ...args], { env: { ...program.env, ...env }, stdio: ["pipe", "pipe", "pipe"] });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  child.stdin.on("error", () => undefined);
  child.stdin.end(input ?? "");
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? -1, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() }));
  });
}

async function ok(program: Program, args: readonly string[], input?: Uint8Array): Promise<Finished> {
  const finished = await call(program, args, input);
  if (finished.code !== 0) throw new Error(`${program.words.join(" ")} ${args.join(" ")} ended ${finished.code}:\n${finished.stderr}`);
  return finished;
}

export interface Builder extends AsyncDisposable {
  build(one: ConformanceCase): Promise<Outcome>;
}

/** `baseTar` becomes the image `base`, which the cases build on. */
export async function createBuilder(program: Program, baseTar: Uint8Array): Promise<Builder> {
  await ok(program, ["import", "--change", 'CMD ["sh"]', "-", "base:latest"], baseTar);
  const base = (await readSavedImage((await ok(program, ["save", "base:latest"])).stdout)).tree;
  const web = await startWebServer();
  let number = 0;
  return {
    async build(one) {
      number += 1;
      web.serve(one.http);
      const directory = path.join(program.directory, `case-${process.pid}-${number}`);
      writeContext(
        directory,
        one.context.map((spec) => ({ ...spec, content: Buffer.from(spec.content.toString("latin1").replaceAll("HTTP_HOST", web.host), "latin1") })),
      );
      try {
        return await buildOne(program, one, { base, host: web.host, directory, seen: path.join(program.seenAs, path.basename(directory)) });
      } finally {
        rmSync(directory, { recursive: true, force: true });
      }
    },
    [Symbol.asyncDispose]: () => web[Symbol.asyncDispose](),
  };
}

interface Place {
  readonly base: Tree;
  readonly host: string;
  readonly directory: string;
  readonly seen: string;
}

const tag = "conformance:case";

async function buildOne(program: Program, one: ConformanceCase, place: Place): Promise<Outcome> {
  for (const { tag: name, dockerfile } of one.before) {
    await ok(program, ["build", ...program.buildFlags, "-q", "-t", name, "-f", "-", place.seen], Buffer.from(dockerfile, "latin1"));
  }
  const args = one.args.map((word) => word.replaceAll("CONTEXT", place.seen).replaceAll("HTTP_HOST", place.host));
  const built = await call(program, ["build", ...program.buildFlags, "--progress=plain", "-t", tag, ...args, place.seen], undefined, one.env);
  if (built.code !== 0) {
    return failureFrom(built.stderr, [[place.host, "HTTP_HOST"], [place.seen, "CONTEXT"], ...internalNames]);
  }
  const image = await readSavedImage((await ok(program, ["save", tag])).stdout);
  return {
    config: normalizeConfig(image.config).replaceAll(place.host, "HTTP_HOST"),
    tree: describeChanges(image.tree, place.base),
  };
}
