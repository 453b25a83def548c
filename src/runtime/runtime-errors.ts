/** What crun and runc say when a process cannot be started, in the words that users search for, and the exit code Docker gives it. Pure. */

export interface StartFailure {
  readonly message: string;
  /** 127 not found, 126 found but not executable, 125 anything else (`docker run`'s convention) */
  readonly exitCode: number;
}

/** `logText`: the JSON lines of the runtime's --log; undefined when they hold no error. */
export function startFailureOf(logText: string, args: readonly string[]): StartFailure | undefined {
  const messages = logText.split("\n").flatMap((line) => errorMessageOf(line));
  const text = messages.at(-1);
  if (text === undefined) return undefined;
  const message = `unable to start container process: ${explain(text, args[0] ?? "")}`;
  return { message, exitCode: exitCodeOf(message) };
}

/** crun reports a failed execve on the container's own stderr, after the log is closed. */
export function execFailureOf(stderrText: string): StartFailure | undefined {
  const match = /^\{"msg":"exec container process (?:\(missing dynamic library\?\) )?`(.*)`: (.*?)","level":"error"/.exec(stderrText.trim());
  if (match === null) return undefined;
  return { message: `exec ${match[1]}: ${lowerFirst(match[2] ?? "")}`, exitCode: 255 };
}

export function exitCodeOf(message: string): number {
  if (message.includes("error mounting ")) return 125;
  if (/executable file not found|no such file or directory/i.test(message)) return 127;
  return /permission denied|not a directory|is a directory/i.test(message) ? 126 : 125;
}

function explain(text: string, command: string): string {
  const missing = /^executable file `(.*)` not found/.exec(text)?.[1];
  if (missing !== undefined) {
    return missing.includes("/") ? `exec: "${missing}": stat ${missing}: no such file or directory` : `exec: "${missing}": executable file not found in $PATH`;
  }
  // crun answers "not permitted" for anything that is no regular file; newer ones say so
  if (/^(?:open executable: Operation not permitted|the path `.*` is not a regular file)/.test(text)) {
    return command === "" ? `exec: "": executable file not found in $PATH` : `exec: "${command}": is a directory: permission denied`;
  }
  if (/^(?:open executable: Permission denied|the path `.*` exists but it is not executable)/.test(text)) return `exec: "${command}": permission denied`;
  const [, source, target, cause] = /^mount `(.*)` to `(.*)`: (.*)$/.exec(text) ?? [];
  if (source !== undefined && target !== undefined && cause !== undefined) return mountFailure(source, target, cause);
  const [, call, path, reason] = /^(chdir|mkdir) (?:to )?`(.*)`: (.*)$/.exec(text) ?? [];
  if (call === "chdir" && reason !== "Not a directory" && path !== undefined && reason !== undefined)
    return `chdir to cwd ("${path}") set in config.json failed: ${lowerFirst(reason)}`;
  if (call !== undefined && path !== undefined && reason !== undefined) return `error during container init: mkdir ${path}: ${lowerFirst(reason)}`;
  return text.replace(/^(?:runc|crun) (?:run|create|exec) failed: /, "").replace(/^(?:exec failed: )?unable to start container process: /, "");
}

/** crun names the target without its leading slash. */
function mountFailure(source: string, target: string, cause: string): string {
  const advice = "Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type";
  const reason = lowerFirst(cause);
  return `error mounting "${source}" to rootfs at "/${target.replace(/^\//, "")}": ${reason}${reason === "not a directory" ? `: ${advice}` : ""}`;
}

function errorMessageOf(line: string): string[] {
  if (line.trim() === "") return [];
  try {
    const entry: unknown = JSON.parse(line);
    if (typeof entry !== "object" || entry === null || !("msg" in entry) || typeof entry.msg !== "string") return [];
    return "level" in entry && entry.level === "error" ? [entry.msg] : [];
  } catch {
    return [line];
  }
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}
