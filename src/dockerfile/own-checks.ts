/** The checks of own-rules.ts, on a Dockerfile whose stages have been followed once. */
import type { CheckContext } from "./check-context.ts";
import type { StageState } from "./check-state.ts";
import { isSecretName } from "./check-variables.ts";
import type { AddInstruction, CopyInstruction, Instruction, LineRange, Stage } from "./instruction.ts";
import { OwnStage } from "./own-stage.ts";
import { secretIn } from "./secret-value.ts";
import type { StageOutline } from "./stage-outline.ts";

export class OwnChecker {
  readonly #context: CheckContext;
  readonly #shipped: ReadonlySet<number>;
  readonly #stages = new Map<number, OwnStage>();
  readonly #reported = new Set<string>();

  constructor(context: CheckContext, outlines: readonly StageOutline[]) {
    this.#context = context;
    this.#shipped = shippedStages(outlines);
    for (const { args, lines } of context.dockerfile.metaArgs) for (const { key, value } of args) this.#value("ARG", key, value ?? "", lines);
  }

  /** Called behind each instruction, with what holds there. */
  observe(stage: Stage, instruction: Instruction, state: StageState): void {
    const own = this.#stageOf(stage, state);
    const reachable = this.#context.options.reachable?.has(stage.index) ?? true;
    const report: CheckContext["report"] = reachable ? this.#context.report : () => {};
    switch (instruction.type) {
      case "env":
      case "label":
        for (const { key, value } of reachable ? instruction.pairs : [])
          this.#value(instruction.type === "env" ? "ENV" : "LABEL", key, value, instruction.lines);
        return;
      case "arg":
        for (const { key, value } of reachable ? instruction.args : []) this.#value("ARG", key, value ?? "", instruction.lines);
        return;
      case "workdir":
        return own.workdir(instruction, state.variables);
      case "copy":
      case "add":
        own.copy(instruction, state.variables);
        if (reachable) this.#unwanted(instruction);
        return;
      case "run":
        return own.run(instruction, state.variables, this.#shipped.has(stage.index), report);
      default:
    }
  }

  #stageOf(stage: Stage, { outline }: StageState): OwnStage {
    const known = this.#stages.get(stage.index);
    if (known !== undefined) return known;
    const created = new OwnStage(outline.base === undefined ? undefined : this.#stages.get(outline.base));
    this.#stages.set(stage.index, created);
    return created;
  }

  #value(instruction: "ARG" | "ENV" | "LABEL", key: string, value: string, lines: LineRange): void {
    const what = secretIn(value);
    // BuildKit's own rule speaks of it already
    if (what === undefined || (instruction !== "LABEL" && isSecretName(key))) return;
    this.#context.report("SecretInValue", lines, instruction, key, what);
  }

  /** What should not be in the context, where it is first copied. */
  #unwanted(instruction: CopyInstruction | AddInstruction): void {
    if (instruction.sources.length === 0 || (instruction.type === "copy" && instruction.from !== undefined)) return;
    const { nestedNodeModules, repository } = this.#context.options;
    for (const [rule, find] of [["NestedNodeModules", nestedNodeModules] as const, ["RepositoryCopied", repository] as const]) {
      const path = this.#reported.has(rule) ? undefined : find?.();
      if (path === undefined || !instruction.sources.some((source) => holds(source, path))) continue;
      this.#reported.add(rule);
      this.#context.report(rule, instruction.lines, path);
    }
  }
}

function holds(source: string, path: string): boolean {
  const word = trimmed(source);
  return ["", ".", "*", path].includes(word) || path.startsWith(`${word}/`);
}

function trimmed(source: string): string {
  return source.replace(/^(?:\.?\/)+/, "").replace(/\/+$/, "");
}

/** Stages whose layers end in an image: those that no other stage merely copies from, and what they stand on. */
function shippedStages(outlines: readonly StageOutline[]): ReadonlySet<number> {
  const sources = new Set(outlines.flatMap((outline) => [...outline.sources]));
  const bases = new Set(outlines.flatMap(({ base }) => base ?? []));
  const shipped = new Set<number>();
  for (const [index] of outlines.entries()) {
    if (sources.has(index) || bases.has(index)) continue;
    for (let stage: number | undefined = index; stage !== undefined; stage = outlines[stage]?.base) shipped.add(stage);
  }
  return shipped;
}
