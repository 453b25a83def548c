/** `--chmod`: octal, or symbolic (`u=rwX,go=rX`, `a+x`, `g=u`) as BSD's setmode(3) reads it, which is what Docker has. */
import { SlipwayError } from "../base/errors.ts";

export type ModeChange = (mode: number, isDirectory: boolean) => number;

/** What no directory on the way has. */
const umask = 0o022;

const classBits: Readonly<Record<string, number>> = { u: 0o4700, g: 0o2070, o: 0o007, a: 0o6777 };
const everyone = 0o6777;
const sticky = 0o1000;
const execute = 0o111;

/** Mode of the directories that a copy makes on its way to the destination; there no special bits count. */
export function directoryModeOf(text: string | undefined): number {
  return text !== undefined && isOctal(text) ? Number.parseInt(text, 8) & 0o777 & ~umask : 0o755;
}

function isOctal(text: string): boolean {
  return /^0*[0-7]{1,4}$/.test(text);
}

/** Fails with INVALID_CHMOD (invalid_argument) in Docker's words. */
export function parseModeChange(text: string): ModeChange {
  if (isOctal(text)) {
    const mode = Number.parseInt(text, 8);
    return () => mode;
  }
  if (/^\d/.test(text)) throw invalid(text, `invalid chmod parameter: '${text}'. it should be octal string and between 0 and 07777`);
  const changes = text.split(",").flatMap((clause) => parseClause(clause, text));
  return (mode, isDirectory) => {
    const canExecute = isDirectory || (mode & execute) !== 0;
    return changes.reduce((current, change) => change(current, canExecute), mode);
  };
}

function invalid(text: string, message: string): SlipwayError {
  return new SlipwayError("invalid_argument", "INVALID_CHMOD", message, { got: text });
}

type Change = (mode: number, canExecute: boolean) => number;

/** Classes, then any number of operators, each with its permissions. */
function parseClause(clause: string, text: string): readonly Change[] {
  const [, classes, rest] = /^([ugoa]*)((?:[+\-=][rwxXstugo]*)+)$/.exec(clause) ?? [];
  if (classes === undefined || rest === undefined) throw invalid(text, "invalid syntax");
  const who = [...classes].reduce((bits, letter) => bits | (classBits[letter] ?? 0), 0);
  return [...rest.matchAll(/([+\-=])([rwxXstugo]*)/g)].flatMap(([, operator = "", permissions = ""]) => operation(who, operator, permissions));
}

interface Pending {
  who: number;
  bits: number;
  maybeExecute: boolean;
}

/** A copied class (`g=u`) ends what was collected before it. With `=`, what comes behind one replaces it. */
function operation(written: number, operator: string, permissions: string): readonly Change[] {
  const changes: Change[] = [];
  const pending: Pending = { who: written, bits: 0, maybeExecute: false };
  let copied = false;
  for (const letter of permissions) {
    if ("ugo".includes(letter)) {
      changes.push(...flush(pending, operator, false), copyClass(pending.who, operator, letter));
      copied = true;
    } else collect(pending, letter);
  }
  return [...changes, ...flush(pending, operator, operator === "=" && !copied)];
}

/** Special bits are nothing of "other" alone. */
function collect(pending: Pending, letter: string): void {
  const isOtherAlone = pending.who !== 0 && (pending.who & ~0o007) === 0;
  if (letter === "r") pending.bits |= 0o444;
  else if (letter === "w") pending.bits |= 0o222;
  else if (letter === "x") pending.bits |= execute;
  else if (letter === "X") pending.maybeExecute = true;
  else if (letter === "s" && !isOtherAlone) pending.bits |= 0o6000;
  else if (letter === "t" && !isOtherAlone) {
    pending.who |= sticky;
    pending.bits |= sticky;
  }
}

function flush(pending: Pending, operator: string, isNeeded: boolean): readonly Change[] {
  const { who, bits, maybeExecute } = pending;
  pending.bits = 0;
  pending.maybeExecute = false;
  const affected = who === 0 ? 0o7777 : who;
  const changes: Change[] = [];
  if (bits !== 0 || isNeeded) changes.push(change(operator, who === 0 ? everyone : who, affected & bits));
  if (maybeExecute) changes.push((mode, canExecute) => (!canExecute ? mode : operator === "-" ? mode & ~(affected & execute) : mode | (affected & execute)));
  return changes;
}

function change(operator: string, cleared: number, bits: number): Change {
  if (operator === "+") return (mode) => mode | bits;
  if (operator === "-") return (mode) => mode & ~bits;
  return (mode) => (mode & ~cleared) | bits;
}

function copyClass(who: number, operator: string, letter: string): Change {
  const shift = letter === "u" ? 6 : letter === "g" ? 3 : 0;
  const targets = who === 0 ? 0o777 : who & 0o777;
  return (mode) => {
    const value = (mode >> shift) & 7;
    return change(operator, targets, targets & (value | (value << 3) | (value << 6)))(mode, false);
  };
}
