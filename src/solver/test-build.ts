/** Dockerfiles solved in a store of their own, on a busybox made from this machine's. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ProgressEvent } from "../base/progress.ts";
import type { ResolvedImage } from "../graph/lowering.ts";
import { createBase, lower, type TestOptions } from "../graph/test-lowering.ts";
import { createBusyboxRootfs } from "../runtime/test-machine.ts";
import { takenSources } from "../graph/taken-sources.ts";
import { DirectoryView, Store, type Chain, type FileView } from "../store/index.ts";
import { hashDirectory } from "../store/pack.ts";
import { FileDigests } from "./file-digests.ts";
import { Solver } from "./solver.ts";

export interface TestBuild {
  readonly chain: Chain;
  readonly files: FileView;
  readonly output: string;
  /** steps that ran, by their name in the Dockerfile → why they were not in the cache */
  readonly ran: Readonly<Record<string, string>>;
  readonly usedKeys: readonly string[];
}

export interface TestBuilderOptions extends TestOptions {
  readonly secrets?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** how many failed steps stay */
  readonly keepFailed?: number;
  readonly onOutput?: (text: string) => void;
  readonly digests?: FileDigests;
}

export interface TestBuilder extends Disposable {
  readonly store: Store;
  /** the directory that COPY copies from */
  readonly context: string;
  readonly build: (dockerfile: string, options?: TestBuilderOptions) => Promise<TestBuild>;
}

export function createTestBuilder(): TestBuilder {
  const scratch = mkdtempSync(join(tmpdir(), "slipway-solve-"));
  const store = Store.open(join(scratch, "store"));
  const context = join(scratch, "context");
  mkdirSync(context);
  let base: ResolvedImage | undefined;
  const build = async (dockerfile: string, options: TestBuilderOptions = {}): Promise<TestBuild> => {
    base ??= { ...createBase("docker.io/library/busybox:latest", { Env: ["PATH=/bin"] }), chain: [addBusybox(store)] };
    const { secrets = {}, signal, onOutput, keepFailed = 0, digests = new FileDigests(), ...lowering } = options;
    const { root } = lower(dockerfile, { images: [base], network: "none", ...lowering });
    const taken = root === undefined ? [] : takenSources(root, "context");
    const events: ProgressEvent[] = [];
    const solver = new Solver({
      store,
      signal: signal ?? new AbortController().signal,
      allow: new Set(),
      onProgress: (event) => {
        events.push(event);
        if (event.type === "log") onOutput?.(Buffer.from(event.data).toString());
      },
      sources: {
        local: () => Promise.resolve({ kind: "tree", root: context, tree: { view: new DirectoryView(context), digests, origin: { kind: "client", taken } } }),
        git: () => Promise.reject(new Error("no git here")),
        http: () => Promise.reject(new Error("no http here")),
        image: () => Promise.resolve(),
      },
      execution: {
        freshCaches: new Set(),
        keeping: { count: keepFailed, dockerfile: "Dockerfile", interrupted: () => signal?.aborted === true },
        secrets: { secret: (id) => Promise.resolve(secrets[id] === undefined ? undefined : Buffer.from(secrets[id])), ssh: () => Promise.resolve(undefined) },
        networks: () => {
          throw new Error("no network here");
        },
      },
    });
    const result = root === undefined ? undefined : await solver.solve(root);
    const chain = result?.kind === "layers" ? result.chain : [];
    return { chain, files: await store.materializer.readableView(chain), output: outputOf(events), ran: ranOf(events), usedKeys: solver.usedKeys };
  };
  return {
    store,
    context,
    build,
    [Symbol.dispose]: () => {
      store.close();
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}

function addBusybox(store: Store): Chain[number] {
  const directory = createBusyboxRootfs(store.layers.workDirectory("busybox"));
  const { diffId, size } = hashDirectory({ directory, overlay: true });
  store.layers.adoptDirectory(diffId, directory, size);
  return diffId;
}

function outputOf(events: readonly ProgressEvent[]): string {
  return events.map((event) => (event.type === "log" ? Buffer.from(event.data).toString() : "")).join("");
}

function ranOf(events: readonly ProgressEvent[]): Readonly<Record<string, string>> {
  const ran: Record<string, string> = {};
  for (const event of events) if (event.type === "vertex" && event.reason !== undefined) ran[event.name.replace(/^\[.*?\] /, "")] = event.reason;
  return ran;
}
