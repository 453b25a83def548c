/** Commands that install what a project's own files list, and those files. */
import { commandName, operandsOf, type ShellCommand } from "./shell-commands.ts";

export interface Installation {
  /** as shown: "npm ci" */
  readonly command: string;
  /** what it reads: copied alone, it decides when the command runs again */
  readonly files: string;
}

type Reader = (command: ShellCommand) => Installation | undefined;

/** `npm ci`, `npm install` without names of packages. */
function withoutOperands(words: readonly string[], files: string): Reader {
  return (command) => {
    const [verb, ...packages] = operandsOf(command);
    if (verb === undefined || !words.includes(verb) || packages.length > 0) return undefined;
    if (command.some((word) => word === "-g" || word === "--global")) return undefined;
    return { command: `${commandName(command)} ${verb}`, files };
  };
}

/** `pip install -r FILE`, and the ways to call it. */
function requirements(command: ShellCommand): Installation | undefined {
  const install = command.indexOf("install");
  if (install < 0) return undefined;
  const at = command.findIndex((word, index) => index > install && /^(?:-r|--requirement)(?:$|=)|^-r./.test(word));
  const option = command[at];
  if (option === undefined) return undefined;
  const file = /^(?:-r|--requirement)$/.test(option) ? command[at + 1] : option.replace(/^(?:--requirement=|-r=?)/, "");
  return { command: `${commandName(command)} install -r`, files: file ?? "requirements.txt" };
}

function python(command: ShellCommand): Installation | undefined {
  const module = command.indexOf("-m");
  return module > 0 && command[module + 1] === "pip" ? requirements(command.slice(module + 1)) : undefined;
}

function uv(command: ShellCommand): Installation | undefined {
  if (command[1] === "pip") return requirements(command);
  return withoutOperands(["sync"], "pyproject.toml and uv.lock")(command);
}

/** yarn and bundle alone install. */
function byDefault(read: Reader, standard: string): Reader {
  return (command) => read(operandsOf(command).length === 0 && !command.includes("--version") ? [...command, standard] : command);
}

function goModules(command: ShellCommand): Installation | undefined {
  return command[1] === "mod" && command[2] === "download" ? { command: "go mod download", files: "go.mod and go.sum" } : undefined;
}

const readers: Readonly<Record<string, Reader>> = {
  npm: withoutOperands(["ci", "clean-install", "install", "i"], "package.json and package-lock.json"),
  yarn: byDefault(withoutOperands(["install"], "package.json and yarn.lock"), "install"),
  pnpm: withoutOperands(["install", "i"], "package.json and pnpm-lock.yaml"),
  bun: withoutOperands(["install", "i"], "package.json and bun.lock"),
  pip: requirements,
  pip3: requirements,
  python: python,
  python3: python,
  uv,
  poetry: withoutOperands(["install"], "pyproject.toml and poetry.lock"),
  pipenv: withoutOperands(["install", "sync"], "Pipfile and Pipfile.lock"),
  go: goModules,
  bundle: byDefault(withoutOperands(["install"], "Gemfile and Gemfile.lock"), "install"),
  cargo: withoutOperands(["fetch", "build"], "Cargo.toml and Cargo.lock"),
  composer: withoutOperands(["install"], "composer.json and composer.lock"),
};

/** undefined for any other command. */
export function installationOf(command: ShellCommand): Installation | undefined {
  const name = commandName(command);
  return Object.hasOwn(readers, name) ? readers[name]?.(command) : undefined;
}
