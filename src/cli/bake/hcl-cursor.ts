/** A place in a definition's text, and how it moves on. */
import { hclFailure, type HclPlace, type HclSource } from "./hcl-source.ts";

export class HclCursor {
  protected readonly source: HclSource;
  protected readonly text: string;
  protected readonly end: number;
  protected at = 0;
  /** within brackets lines end nothing */
  protected brackets = 0;

  constructor(source: HclSource) {
    this.source = source;
    this.text = source.text;
    this.end = source.text.length;
  }

  protected place(start: number, end = this.at): HclPlace {
    return { source: this.source, start, end };
  }

  protected fail(summary: string, detail: string, start = this.at, end = Math.min(this.end, this.at + 1)): Error {
    return hclFailure({ source: this.source, start, end }, summary, detail);
  }

  protected skip(lines = this.brackets > 0): void {
    while (this.at < this.end) {
      const found = this.match(/[ \t\r]+|(?:#|\/\/)[^\n]*|\/\*[^]*?\*\//y);
      if (found !== undefined) continue;
      if (!lines || this.text[this.at] !== "\n") return;
      this.at++;
    }
  }

  protected peek(word: string): boolean {
    return this.text.startsWith(word, this.at) && this.at + word.length <= this.end;
  }

  protected take(word: string): boolean {
    if (!this.peek(word)) return false;
    this.at += word.length;
    return true;
  }

  protected expect(word: string, summary: string, detail: string): void {
    this.skip();
    if (!this.take(word)) throw this.fail(summary, detail);
  }

  protected match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found === undefined || this.at + found.length > this.end) return undefined;
    this.at += found.length;
    return found;
  }

  protected bracketed<T>(close: string, read: () => T): T {
    this.brackets++;
    const value = read();
    this.skip();
    if (!this.take(close)) throw this.fail("Missing closing bracket", `A closing ${JSON.stringify(close)} is expected here.`);
    this.brackets--;
    return value;
  }
}
