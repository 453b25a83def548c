/**
 * The simple commands of a shell script, as far as checks want to know them: words without quotes, what separates commands
 * dropped. Not a shell: substitutions stay text, conditions are looked through.
 */

export type ShellCommand = readonly string[];

const prefixes: ReadonlySet<string> = new Set(["sudo", "exec", "command", "time", "!", "then", "do", "else", "if", "elif", "while", "until", "{", "("]);
const closers: ReadonlySet<string> = new Set(["fi", "done", "}", ")"]);
const assignment = /^[A-Za-z_][A-Za-z0-9_]*=/;
const separators = ";&|\n";

export function splitShellCommands(script: string): readonly ShellCommand[] {
  return new ShellSplitter(script).split();
}

class ShellSplitter {
  readonly #script: string;
  readonly #commands: ShellCommand[] = [];
  #words: string[] = [];
  #word: string | undefined;

  constructor(script: string) {
    this.#script = script;
  }

  split(): readonly ShellCommand[] {
    for (let position = 0; position < this.#script.length;) position = this.#take(position);
    this.#endCommand();
    return this.#commands;
  }

  /** Takes what stands at the position; gives the next one. */
  #take(position: number): number {
    const character = this.#script.charAt(position);
    if (character === "\\") return this.#escaped(position);
    if (character === "'" || character === '"') return this.#quoted(position, character);
    if (separators.includes(character)) this.#endCommand();
    else if (character === " " || character === "\t" || character === "\r") this.#endWord();
    else if (character === "#" && this.#word === undefined) return this.#endOfLine(position);
    else if ((character === "(" || character === ")") && this.#word === undefined) this.#endCommand();
    else this.#add(character);
    return position + 1;
  }

  #escaped(position: number): number {
    const next = this.#script.charAt(position + 1);
    if (next !== "\n") this.#add(next);
    return position + 2;
  }

  #quoted(start: number, quote: string): number {
    let text = "";
    let position = start + 1;
    for (; position < this.#script.length && this.#script[position] !== quote; position++) {
      if (quote === '"' && this.#script[position] === "\\") position++;
      text += this.#script.charAt(position);
    }
    this.#add(text);
    return position + 1;
  }

  #endOfLine(position: number): number {
    const end = this.#script.indexOf("\n", position);
    return end < 0 ? this.#script.length : end;
  }

  #add(text: string): void {
    this.#word = (this.#word ?? "") + text;
  }

  #endWord(): void {
    if (this.#word !== undefined) this.#words.push(this.#word);
    this.#word = undefined;
  }

  #endCommand(): void {
    this.#endWord();
    const words = withoutPrefixes(this.#words);
    if (words.length > 0) this.#commands.push(words);
    this.#words = [];
  }
}

function withoutPrefixes(words: readonly string[]): ShellCommand {
  const first = words.findIndex((word) => !prefixes.has(word) && !assignment.test(word));
  const rest = first < 0 ? [] : words.slice(first);
  return rest.length === 1 && closers.has(rest[0] ?? "") ? [] : rest;
}

/** The last name of the command's path: `/usr/bin/apt-get` → `apt-get`. */
export function commandName([word = ""]: ShellCommand): string {
  return word.slice(word.lastIndexOf("/") + 1);
}

export function operandsOf(command: ShellCommand): readonly string[] {
  return command.slice(1).filter((word) => !word.startsWith("-") || word === "-");
}
