/** What one stage has done so far, as far as own-rules.ts wants to know it. */
import { posix } from "node:path";
import type { Report } from "./check-context.ts";
import { installationOf } from "./install-commands.ts";
import type { AddInstruction, CopyInstruction, RunInstruction, WorkdirInstruction } from "./instruction.ts";
import { commandsOfRun, mountsOfRun, type SeenMount } from "./run-commands.ts";
import { commandName, operandsOf, type ShellCommand } from "./shell-commands.ts";

/** Where a COPY put something, and what it gave it. */
interface CopiedTree {
  readonly path: string;
  /** looks like more than a file or two */
  readonly isTree: boolean;
  readonly chown: string | undefined;
  readonly chmod: string | undefined;
}

type Variables = ReadonlyMap<string, string>;

const aptLists = "/var/lib/apt/lists";
const wholeContext: ReadonlySet<string> = new Set([".", "./", "/", "*", "./*"]);

export class OwnStage {
  readonly #trees: CopiedTree[];
  /** tools that have installed what the project lists */
  readonly #installed: Set<string>;
  #workdir: string;
  #copiedAll: boolean;

  constructor(base: OwnStage | undefined) {
    this.#trees = [...(base === undefined ? [] : base.#trees)];
    this.#installed = new Set(base === undefined ? [] : base.#installed);
    this.#workdir = base === undefined ? "/" : base.#workdir;
    this.#copiedAll = base !== undefined && base.#copiedAll;
  }

  workdir({ path }: WorkdirInstruction, variables: Variables): void {
    this.#workdir = posix.resolve(this.#workdir, replaceVariables(path, variables));
  }

  copy(instruction: CopyInstruction | AddInstruction, variables: Variables): void {
    const { sources, destination, chown, chmod } = instruction;
    const path = posix.resolve(this.#workdir, replaceVariables(destination, variables));
    this.#trees.push({ path, isTree: sources.some(looksLikeTree), chown, chmod });
    const fromContext = instruction.type === "add" || instruction.from === undefined;
    if (fromContext && sources.some((source) => wholeContext.has(source))) this.#copiedAll = true;
  }

  /** `shipped`: the stage's layers end in an image. */
  run(instruction: RunInstruction, variables: Variables, shipped: boolean, report: Report): void {
    const commands = commandsOfRun(instruction);
    const mounts = mountsOfRun(instruction, (word) => replaceVariables(word, variables));
    this.#install(commands, mounts, (command, files) => report("CopyBeforeInstall", instruction.lines, command, files));
    if (!shipped) return;
    const update = commands.find((command) => isApt(command) && operandsOf(command).includes("update"));
    if (update !== undefined && !commands.some(removesLists) && !isCovered(aptLists, mounts))
      report("AptListsInLayer", instruction.lines, `${commandName(update)} update`);
    const changes = commands.flatMap((command) => this.#change(command, variables, mounts) ?? []);
    for (const [name, change] of new Map(changes.map((change) => [change.name, change])))
      report("OwnerChangedAfterCopy", instruction.lines, name, change.path, change.advice);
  }

  #install(commands: readonly ShellCommand[], mounts: readonly SeenMount[], report: (command: string, files: string) => void): void {
    const cached = mounts.some(({ type }) => type === "cache");
    for (const command of commands) {
      const installation = installationOf(command);
      const tool = commandName(command);
      if (installation === undefined || this.#installed.has(tool)) continue;
      this.#installed.add(tool);
      if (this.#copiedAll && !cached) report(installation.command, installation.files);
    }
  }

  /** A recursive chown or chmod of what a COPY has stored. */
  #change(command: ShellCommand, variables: Variables, mounts: readonly SeenMount[]): { name: string; path: string; advice: string } | undefined {
    const name = commandName(command);
    if ((name !== "chown" && name !== "chmod") || !command.some(isRecursive) || command.some((word) => word.startsWith("--reference"))) return undefined;
    const [given = "", ...paths] = operandsOf(command);
    const wanted = replaceVariables(given, variables);
    for (const word of paths) {
      const path = this.#resolve(word, variables);
      if (path === undefined || isCovered(path, mounts)) continue;
      const tree = this.#trees.find((copied) => isStoredBelow(copied, path) && copied[name] !== wanted);
      if (tree !== undefined) return { name: `${name} -R`, path: tree.path, advice: `COPY --${name}=${wanted}` };
    }
    return undefined;
  }

  /** undefined for what only the shell knows. */
  #resolve(word: string, variables: Variables): string | undefined {
    const path = replaceVariables(word, variables).replace(/\/\*$/, "");
    return /[$`*?[]/.test(path) || path === "" ? undefined : posix.resolve(this.#workdir, path);
  }
}

function isRecursive(word: string): boolean {
  return word === "--recursive" || /^-[A-Za-z]*R/.test(word);
}

function isApt(command: ShellCommand): boolean {
  return ["apt-get", "apt", "aptitude"].includes(commandName(command));
}

function removesLists(command: ShellCommand): boolean {
  if (isApt(command)) return operandsOf(command).includes("dist-clean");
  const named = command.some((word) => word.startsWith("/var/lib/apt"));
  return named && ["rm", "find"].includes(commandName(command));
}

function looksLikeTree(source: string): boolean {
  const name = source.replace(/\/+$/, "").split("/").at(-1) ?? "";
  return wholeContext.has(source) || source.endsWith("/") || !name.includes(".");
}

function isStoredBelow({ path: copied, isTree }: CopiedTree, path: string): boolean {
  return isInside(path, copied) || (isTree && isInside(copied, path));
}

function isCovered(path: string, mounts: readonly SeenMount[]): boolean {
  return mounts.some(({ target }) => target !== undefined && isInside(path, target));
}

function isInside(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === "/" ? "/" : `${directory}/`);
}

/** `$NAME` and `${NAME}` where there is a value; anything else stays. */
function replaceVariables(text: string, variables: Variables): string {
  return text.replace(/\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))/g, (whole, braced, bare) => variables.get(braced ?? bare) ?? whole);
}
