/**
 * A step's own clock: the newest time of what it is made of. The same inputs have the same one, whenever and wherever they meet, and a commit that
 * changes none of them does not move it.
 */
import type { FileOp } from "../graph/op.ts";
import type { Vertex } from "../graph/vertex.ts";
import type { Result } from "./results.ts";
import { selectSources, type SelectedSource, type SettledTimes } from "./selection.ts";

/** Archives of zip's kind know no year before 1980, and programs that make them fail at earlier clocks. */
const earliestSeconds = Date.UTC(1980, 0, 2) / 1000;

export class StepClocks {
  readonly #solve: (vertex: Vertex) => Promise<Result>;
  readonly #clocks = new Map<Vertex, Promise<number | undefined>>();

  /** `solve` is asked for what is handed in from outside alone. */
  constructor(solve: (vertex: Vertex) => Promise<Result>) {
    this.#solve = solve;
  }

  /** Seconds since 1970; undefined: something that it is made of is from no known time. */
  of(vertex: Vertex): Promise<number | undefined> {
    let clock = this.#clocks.get(vertex);
    if (clock === undefined) this.#clocks.set(vertex, (clock = this.#look(vertex)));
    return clock;
  }

  async #look(vertex: Vertex): Promise<number | undefined> {
    const { op, inputs, metadata } = vertex;
    switch (op.type) {
      case "image":
        return Math.max(earliestSeconds, metadata.createdSeconds ?? 0);
      case "file":
        return newest(await Promise.all(inputs.map(async (input, index) => (isTree(input) ? await this.#taken(op, index, input) : await this.of(input)))));
      case "exec":
      case "merge":
      case "diff":
        return newest(await Promise.all(inputs.map((input) => this.of(input))));
      default:
        return undefined;
    }
  }

  /** Of the files that the copies take from one tree. */
  async #taken({ actions }: FileOp, index: number, input: Vertex): Promise<number | undefined> {
    // its content is part of the key, and its time comes with it
    if (input.op.type === "http") return earliestSeconds;
    const result = await this.#solve(input);
    if (result.kind !== "tree" || result.tree.settled === undefined) return undefined;
    const { settled } = result.tree;
    return newest(
      timesTaken(
        actions.flatMap((action) => (action.type === "copy" && action.input === index ? selectSources(action, result.tree) : [])),
        settled,
      ),
    );
  }
}

function isTree({ op }: Vertex): boolean {
  return op.type === "local" || op.type === "git" || op.type === "http";
}

function* timesTaken(copies: readonly SelectedSource[], settled: SettledTimes): Generator<number | undefined> {
  for (const { files } of copies) for (const { path } of files) yield settled.get(path);
}

function newest(times: Iterable<number | undefined>): number | undefined {
  let latest = earliestSeconds;
  for (const time of times) {
    if (time === undefined) return undefined;
    latest = Math.max(latest, time);
  }
  return latest;
}
