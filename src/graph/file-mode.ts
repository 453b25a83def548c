/** `--chmod`: octal, or symbolic as chmod(1) reads it (`u=rwX,go=rX`, `a+x`, `g-w`). */
import { SlipwayError } from "../base/errors.ts";

export type ModeChange = (mode: number, isDirectory: boolean) => number;

interface Clause {
  readonly who: number;
  readonly operator: "+" | "-" | "=";
  readonly permissions: string;
}

const whoBits: Readonly<Record<string, number>> = { u: 0o4700, g: 0o2070, o: 0o1007, a: 0o7777 };

const octal = /^[0-7]{1,4}$/;

/** Mode of the directories that a copy makes on its way to the destination. */
export function directoryModeOf(text: string | undefined): number {
  return text !== undefined && octal.test(text) ? Number.parseInt(text, 8) : 0o755;
}

/** Fails with INVALID_CHMOD (invalid_argument). */
export function parseModeChange(text: string): ModeChange {
  if (octal.test(text)) {
    const mode = Number.parseInt(text, 8);
    return () => mode;
  }
  const clauses: Clause[] = [];
  for (const part of text.split(",")) {
    const match = /^([ugoa]*)((?:[+\-=][rwxXst]*|[+\-=][ugo])+)$/.exec(part);
    if (match === null || /^\d/.test(text)) {
      throw new SlipwayError("invalid_argument", "INVALID_CHMOD", `invalid chmod parameter: '${text}'. it should be octal string and between 0 and 07777`, {
        got: text,
      });
    }
    const who = [...(match[1] === "" ? "a" : (match[1] ?? ""))].reduce((bits, letter) => bits | (whoBits[letter] ?? 0), 0);
    for (const [, operator, permissions] of (match[2] ?? "").matchAll(/([+\-=])([rwxXstugo]*)/g)) {
      clauses.push({ who, operator: operator as Clause["operator"], permissions: permissions ?? "" });
    }
  }
  return (mode, isDirectory) => clauses.reduce((current, clause) => applyClause(current, clause, isDirectory), mode);
}

function applyClause(mode: number, { who, operator, permissions }: Clause, isDirectory: boolean): number {
  let bits = 0;
  for (const letter of permissions) bits |= permissionBits(letter, mode, isDirectory);
  const affected = bits & who;
  if (operator === "+") return mode | affected;
  if (operator === "-") return mode & ~affected;
  // `=` on a directory keeps setuid and setgid unless they are named, as GNU chmod does.
  const cleared = who & (isDirectory ? 0o777 : 0o6777);
  return (mode & ~cleared) | affected;
}

function permissionBits(letter: string, mode: number, isDirectory: boolean): number {
  switch (letter) {
    case "r":
      return 0o444;
    case "w":
      return 0o222;
    case "x":
      return 0o111;
    case "X":
      return isDirectory || (mode & 0o111) !== 0 ? 0o111 : 0;
    case "s":
      return 0o6000;
    case "t":
      return 0o1000;
    case "u":
      return spread((mode >> 6) & 7);
    case "g":
      return spread((mode >> 3) & 7);
    case "o":
      return spread(mode & 7);
    default:
      return 0;
  }
}

function spread(bits: number): number {
  return bits | (bits << 3) | (bits << 6);
}
