/**
 * The variables that hold at each instruction of a stage, followed the way a build does, and the checks that need
 * them: undefined variables, secrets, relative WORKDIR, ports, ignored sources.
 */
import { SlipwayError } from "../base/errors.ts";
import { expandOrStop, tryExpand, UnexpandableWord, type CheckContext } from "./check-context.ts";
import { setVariable, type StageState } from "./check-state.ts";
import { cleanPath } from "./ignore-pattern.ts";
import type { AddInstruction, ArgInstruction, CopyInstruction, EnvInstruction, ExposeInstruction, Instruction, LineRange } from "./instruction.ts";
import { parseRunMount } from "./run-mount.ts";

const secretName = /(?:_|^)(?:apikey|auth|credential|credentials|key|password|pword|passwd|secret|token)(?:_|$)/i;
const publicName = /(?:_|^)public(?:_|$)/i;
const outsideOfStages = new Set(["BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"]);

/** Whether SecretsUsedInArgOrEnv speaks of the name. */
export function isSecretName(key: string): boolean {
  return secretName.test(key) && !publicName.test(key);
}

function isPortRange(text: string): boolean {
  const [first, last = first, ...others] = text.split("-");
  return others.length === 0 && isPort(first) && isPort(last) && Number(first) <= Number(last);
}

function isPort(text: string | undefined): boolean {
  return text !== undefined && /^\d{1,5}$/.test(text) && Number(text) <= 65_535;
}

const protocols: ReadonlySet<string> = new Set(["", "tcp", "udp", "sctp"]);

export class StageChecker {
  readonly #context: CheckContext;
  readonly #state: StageState;
  readonly #globals: ReadonlyMap<string, string>;
  readonly #used = new Map<string, LineRange>();

  constructor(context: CheckContext, state: StageState, globals: ReadonlyMap<string, string>) {
    this.#context = context;
    this.#state = state;
    this.#globals = globals;
  }

  /** Ends at a word that cannot be expanded, where the build ends too. */
  check(instruction: Instruction): void {
    try {
      this.#check(instruction);
    } catch (error) {
      if (!(error instanceof UnexpandableWord)) throw error;
      this.#undefined(error.unmatched, instruction.lines);
    }
  }

  #check(instruction: Instruction): void {
    const { lines } = instruction;
    switch (instruction.type) {
      case "env":
        this.#env(instruction);
        return;
      case "arg":
        this.#arg(instruction);
        return;
      case "label":
        for (const { key, value } of instruction.pairs) [key, value].forEach((word) => this.#expand(word, lines));
        this.#legacy(instruction);
        return;
      case "copy":
      case "add":
        this.#copy(instruction);
        return;
      case "run":
        for (const mount of instruction.mounts) this.#mount(mount, lines);
        return;
      case "workdir":
        this.#workdir(this.#expand(instruction.path, lines), lines);
        return;
      case "user":
        this.#expand(instruction.user, lines);
        return;
      case "stopsignal":
        this.#expand(instruction.signal, lines);
        return;
      case "volume":
        for (const path of instruction.paths) this.#expand(path, lines);
        return;
      case "expose":
        this.#expose(instruction);
        return;
      case "shell":
        this.#state.hasShell = true;
        return;
      case "cmd":
      case "entrypoint":
        this.#once(instruction);
        if (instruction.command.form === "shell" && !this.#state.hasShell) this.#context.report("JSONArgsRecommended", lines, instruction.keyword);
        return;
      case "healthcheck":
        this.#once(instruction);
        return;
      case "onbuild":
        this.#state.triggers.push(instruction.expression);
        return;
      case "maintainer":
    }
  }

  #expand(word: string, lines: LineRange, options: { readonly heredoc?: boolean } = {}): string {
    const { unmatched, result } = expandOrStop(this.#context, word, this.#state.variables, options);
    this.#undefined(unmatched, lines);
    return result;
  }

  #undefined(names: readonly string[], lines: LineRange): void {
    for (const name of this.#state.known ? names : []) {
      if (this.#state.args.has(name) || outsideOfStages.has(name)) continue;
      this.#context.report("UndefinedVar", lines, name, this.#context.suggest(name, this.#state.variables.keys()));
    }
  }

  #env(instruction: EnvInstruction): void {
    // all words see the variables from before the instruction
    const pairs = instruction.pairs.map(({ key, value, legacy }) => ({
      key: this.#expand(key, instruction.lines),
      value: this.#expand(value, instruction.lines),
      legacy,
    }));
    for (const { key, value, legacy } of pairs) {
      if (legacy) this.#context.report("LegacyKeyValueFormat", instruction.lines, instruction.keyword);
      this.#secret("ENV", key, instruction.lines);
      setVariable(this.#state.variables, key, value);
      this.#state.env.add(key);
    }
  }

  #legacy({ pairs, keyword, lines }: Extract<Instruction, { type: "label" }>): void {
    if (pairs.some(({ legacy }) => legacy)) this.#context.report("LegacyKeyValueFormat", lines, keyword);
  }

  #arg(instruction: ArgInstruction): void {
    const { args, lines } = instruction;
    for (const { key, value } of args) {
      this.#secret("ARG", key, lines);
      const given = this.#context.options.buildArgs?.get(key);
      const inherited = given === undefined && value === undefined ? this.#globals.get(key) : undefined;
      const effective = inherited ?? given ?? (value === undefined ? undefined : this.#expand(value, lines));
      if (effective !== undefined) setVariable(this.#state.variables, key, effective);
      this.#state.outline.addArg(instruction, key, effective, inherited !== undefined);
      this.#state.args.add(key);
    }
  }

  #secret(instruction: "ARG" | "ENV", key: string, lines: LineRange): void {
    if (isSecretName(key)) this.#context.report("SecretsUsedInArgOrEnv", lines, instruction, key);
  }

  #copy(instruction: CopyInstruction | AddInstruction): void {
    const { lines } = instruction;
    const checksum = instruction.type === "add" ? instruction.checksum : undefined;
    for (const word of [instruction.chown, instruction.chmod, checksum]) if (word !== undefined) this.#expand(word, lines);
    const sources = instruction.sources.map((source) => this.#expand(source, lines));
    this.#expand(instruction.destination, lines);
    for (const { content, expand } of instruction.heredocs) if (expand) this.#expand(content, lines, { heredoc: true });
    if (instruction.type === "add" || instruction.from === undefined) this.#ignoredSources(instruction, sources);
    else this.#state.outline.addSource(instruction.from);
  }

  #ignoredSources(instruction: CopyInstruction | AddInstruction, sources: readonly string[]): void {
    const { ignore } = this.#context.options;
    // with `!` lines an ignored directory may still hold what is wanted
    if (ignore === undefined || ignore.hasExclusions) return;
    const isAdd = instruction.type === "add";
    for (const source of sources) {
      if (isAdd && /^(?:https?|git|ssh):\/\/|^git@/.test(source)) continue;
      const path = cleanPath(source);
      if (ignore.matches(path)) this.#context.report("CopyIgnoredFile", instruction.lines, isAdd ? "Add" : "Copy", path);
    }
  }

  #mount(mount: string, lines: LineRange): void {
    try {
      this.#state.outline.addMount(
        parseRunMount(mount, (word) => this.#expand(word, lines)),
        lines,
      );
    } catch (error) {
      // the build says what is wrong with the mount
      if (!(error instanceof SlipwayError)) throw error;
    }
  }

  #workdir(path: string, lines: LineRange): void {
    if (!this.#state.hasWorkdir && !path.startsWith("/")) this.#context.report("WorkdirRelativePath", lines, path);
    this.#state.hasWorkdir = true;
  }

  #expose({ ports, lines }: ExposeInstruction): void {
    for (const port of ports.flatMap((word) => tryExpand(this.#context, word, this.#state.variables)?.words ?? [])) {
      const own = port.slice(port.lastIndexOf(":") + 1);
      const slash = own.indexOf("/");
      const protocol = slash < 0 ? "" : own.slice(slash + 1);
      // such a word fails the build before Docker looks at its form
      if (own === "" || slash === 0 || !protocols.has(protocol.toLowerCase())) return;
      if (protocol !== protocol.toLowerCase()) this.#context.report("ExposeProtoCasing", lines, port);
      if (port.includes(":") && port.lastIndexOf(":") > 0) this.#context.report("ExposeInvalidFormat", lines, port);
      if (!isPortRange(slash < 0 ? own : own.slice(0, slash))) return;
    }
  }

  /** The earlier one is at fault: it has no effect. */
  #once({ type, keyword, lines }: Instruction): void {
    const before = this.#used.get(type);
    if (before !== undefined) this.#context.report("MultipleInstructionsDisallowed", before, keyword);
    this.#used.set(type, lines);
  }
}
