/**
 * Command lines with what Docker printed for them, as text:
 *
 *   # a comment
 *   $ docker volume create data
 *   data
 *   ! a line of standard error
 *   [0]
 *
 * Each line is run by a shell in which `docker` is the program under test. Ids, times and the store's directory are masked.
 */
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";

export interface Exchange {
  readonly command: string;
  /** masked standard output, "! " and masked standard error, "[exit code]" */
  readonly answer: readonly string[];
}

export function parseTranscript(content: string): readonly Exchange[] {
  const exchanges: { command: string; answer: string[] }[] = [];
  for (const line of content.replace(/\n$/, "").split("\n")) {
    if (line.startsWith("$ ")) exchanges.push({ command: line.slice(2), answer: [] });
    else if (exchanges.length > 0 && !line.startsWith("# ")) exchanges.at(-1)!.answer.push(line);
  }
  return exchanges;
}

/** Comments stay where they are. */
export function formatTranscript(content: string, answers: readonly (readonly string[])[]): string {
  let at = 0;
  const lines = content.split("\n").flatMap((line) => {
    if (line.startsWith("# ")) return [line];
    return line.startsWith("$ ") ? [line, ...answers[at++]!] : [];
  });
  return `${lines.join("\n")}\n`;
}

export interface Answering {
  /** the program's words, quoted for a shell */
  readonly program: string;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
}

export async function answerOf(command: string, { program, env, cwd }: Answering): Promise<readonly string[]> {
  const child = spawn("sh", ["-c", `docker() { ${program} "$@"; }\n${command}`], { env, cwd, stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<number>((resolve) => child.once("close", (code) => resolve(code ?? -1)));
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return [...linesOf(out), ...linesOf(err).map((line) => `! ${line}`), `[${code}]`];
}

const unsaid = /^(?:Hint: |Run '.* --help' for more information$|(?:SRun|See) '.* --help' for more information|\s*$)/;

/** Advice and empty lines are each program's own. */
function linesOf(output: string): string[] {
  return output
    .split("\n")
    .filter((line) => !unsaid.test(line))
    .map(mask);
}

function mask(line: string): string {
  return line
    .replaceAll(/\b[0-9a-f]{64}\b/g, "ID64")
    .replaceAll(/\b[0-9a-f]{12}\b/g, "ID12")
    .replaceAll(/\b\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME")
    .replaceAll(/\/[\w./-]*\/(?=volumes\/|containers\/)/g, "ROOT/")
    .replaceAll(/(?:Less than a second|About a minute|\d+ (?:seconds?|minutes?))\b/g, "AWHILE")
    .replaceAll(/\b(?:docker|slipway)\b/g, "PROGRAM")
    .replace(/\s+$/, "");
}
