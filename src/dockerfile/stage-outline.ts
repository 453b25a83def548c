/** What one stage takes from outside: build arguments, secrets, SSH sockets; and the stages that it needs. */
import type { ArgInstruction, Dockerfile, LineRange, RunMount, Stage } from "./instruction.ts";

export interface OutlineArg {
  readonly name: string;
  /** from a comment `# NAME description` above it */
  readonly description: string;
  readonly value: string | undefined;
  readonly lines: LineRange;
}

export interface OutlineMount {
  readonly name: string;
  readonly required: boolean;
  readonly lines: LineRange;
}

/** The last of the stages above `before` that has the name. */
export function findEarlierStage({ stages }: Dockerfile, before: number, name: string): number | undefined {
  const wanted = name.toLowerCase();
  const index = stages.findLastIndex((stage) => stage.index < before && stage.name === wanted);
  return index < 0 ? undefined : index;
}

/** The rest of the comment that begins with the name and a blank. */
export function descriptionOf(comments: readonly string[], name: string): string {
  return comments.find((comment) => comment.startsWith(`${name} `))?.slice(name.length + 1) ?? "";
}

/** Filled while a stage's instructions are followed. */
export class StageOutline {
  readonly args = new Map<string, OutlineArg>();
  /** names of global ARGs that the stage takes as they are */
  readonly inherited = new Set<string>();
  readonly secrets = new Map<string, OutlineMount>();
  readonly ssh = new Map<string, OutlineMount>();
  /** the stage that this one stands on */
  readonly base: number | undefined;
  /** stages whose files it takes, in order */
  readonly sources = new Set<number>();
  readonly #dockerfile: Dockerfile;
  readonly #stage: Stage;

  constructor(dockerfile: Dockerfile, stage: Stage, base: number | undefined) {
    this.#dockerfile = dockerfile;
    this.#stage = stage;
    this.base = base;
  }

  addArg({ comments, lines }: ArgInstruction, name: string, value: string | undefined, inherited: boolean): void {
    if (inherited) this.inherited.add(name);
    else this.args.set(name, { name, description: descriptionOf(comments, name), value, lines });
  }

  /** `--from` of COPY and of mounts: a stage by name or number, or something else. */
  addSource(from: string): void {
    const index = /^\d+$/.test(from) ? Number(from) : findEarlierStage(this.#dockerfile, this.#stage.index, from);
    if (index !== undefined && index < this.#stage.index) this.sources.add(index);
  }

  addMount({ type, id, source, target, required, from }: RunMount, lines: LineRange): void {
    if (from !== undefined) this.addSource(from);
    if (type === "ssh") addFirst(this.ssh, { name: id ?? source ?? "default", required, lines });
    if (type === "secret") addFirst(this.secrets, { name: source ?? id ?? target?.split("/").at(-1) ?? "", required, lines });
  }
}

function addFirst(mounts: Map<string, OutlineMount>, mount: OutlineMount): void {
  if (!mounts.has(mount.name)) mounts.set(mount.name, mount);
}
