/** Builds cases with a program that takes Docker's command line, and reads what came out. */
import { rmSync } from "node:fs";
import path from "node:path";
import type { ConformanceCase } from "./case-file.ts";
import { failureFrom, internalNames, normalizeConfig, type Outcome, type RunOutcome } from "./outcome.ts";
import type { Finished, Program } from "./program.ts";
import { describeChanges, readSavedImage, type Tree } from "./read-image.ts";
import { startWebServer, type WebServer } from "./web-server.ts";
import { writeContext } from "./write-context.ts";

export interface Place {
  /** contexts are written here … */
  readonly directory: string;
  /** … and lie there for the program, which may live behind a chroot */
  readonly seenAs: string;
  /** words of every build */
  readonly buildFlags: readonly string[];
  /** seconds: times from then on are the builds' own (default: recorded cases') */
  readonly since?: number;
  /** the cases' web server, for who needs its address beforehand (default: one of the builder's own) */
  readonly web?: WebServer;
}

async function ok(program: Program, args: readonly string[], input?: Uint8Array): Promise<Finished> {
  const finished = await program(args, input);
  if (finished.code !== 0) throw new Error(`${args.join(" ")} ended ${finished.code}:\n${finished.stderr}`);
  return finished;
}

export interface Builder extends AsyncDisposable {
  build(one: ConformanceCase): Promise<Outcome>;
}

/** `baseTar` becomes the image `base`, which the cases build on; without one they name bases that the program has, and trees are told whole. */
export async function createBuilder(program: Program, place: Place, baseTar: Uint8Array | undefined): Promise<Builder> {
  const base = baseTar === undefined ? new Map<string, never>() : await importBase(program, baseTar);
  const web = place.web ?? (await startWebServer());
  // others may build cases with the same daemon at the same time
  const tag = `conformance:${process.pid}`;
  const built = new Set([tag]);
  let number = 0;
  return {
    async build(one) {
      number += 1;
      web.serve(one.http);
      for (const before of one.before) built.add(before.tag);
      const directory = path.join(place.directory, `case-${process.pid}-${number}`);
      writeContext(
        directory,
        one.context.map((spec) => ({ ...spec, content: Buffer.from(spec.content.toString("latin1").replaceAll("HTTP_HOST", web.host), "latin1") })),
      );
      try {
        const seen = path.join(place.seenAs, path.basename(directory));
        return await buildOne(program, one, { ...place, base, host: web.host, seen, tag });
      } finally {
        rmSync(directory, { recursive: true, force: true });
      }
    },
    async [Symbol.asyncDispose]() {
      await program(["rmi", "--force", ...built]);
      if (place.web === undefined) await web[Symbol.asyncDispose]();
    },
  };
}

async function importBase(program: Program, tar: Uint8Array): Promise<Tree> {
  await ok(program, ["import", "--change", 'CMD ["sh"]', "-", "base:latest"], tar);
  return (await readSavedImage((await ok(program, ["save", "base:latest"])).stdout)).tree;
}

interface CasePlace extends Place {
  readonly base: Tree;
  /** the web server's address */
  readonly host: string;
  /** the context, as the program sees it */
  readonly seen: string;
  readonly tag: string;
}

async function buildOne(program: Program, one: ConformanceCase, place: CasePlace): Promise<Outcome> {
  for (const { tag: name, dockerfile } of one.before) {
    await ok(program, ["build", ...place.buildFlags, "-q", "-t", name, "-f", "-", place.seen], Buffer.from(dockerfile, "latin1"));
  }
  const args = one.args.map((word) => word.replaceAll("CONTEXT", place.seen).replaceAll("HTTP_HOST", place.host));
  const context = one.contextPath === "" ? place.seen : `${place.seen}/${one.contextPath}`;
  // the two flags exclude each other
  const flags = place.buildFlags.filter((flag) => flag !== "--no-cache" || !args.includes("--no-cache-filter"));
  const built = await program(["build", ...flags, "--progress=plain", "-t", place.tag, ...args, context], undefined, one.env);
  if (built.code !== 0) {
    return failureFrom(built.stderr, [[place.host, "HTTP_HOST"], [place.seen, "CONTEXT"], ...internalNames]);
  }
  const image = await readSavedImage((await ok(program, ["save", place.tag])).stdout);
  const runs = await runAll(program, one.runs, place.tag);
  return {
    config: normalizeConfig(image.config).replaceAll(place.host, "HTTP_HOST"),
    tree: describeChanges(image.tree, place.base, place.since),
    ...(runs.length === 0 ? {} : { runs }),
  };
}

/** Where messages name the program itself. */
const programNames = /\b(?:docker|slipway)(?=: | run --help)/g;

/** One after the other: they may share volumes. */
async function runAll(program: Program, runs: readonly (readonly string[])[], tag: string): Promise<readonly RunOutcome[]> {
  const outcomes: RunOutcome[] = [];
  for (const words of runs) {
    const { code, stdout, stderr } = await program(["run", ...words.map((word) => (word === "IMAGE" ? tag : word))]);
    outcomes.push({ words: words.join(" "), code, stdout: stdout.toString(), stderr: stderr.replace(programNames, "PROGRAM") });
  }
  return outcomes;
}
