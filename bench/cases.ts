/**
 * The cases: each makes a context once, and says what a measured round does. A round may first change the context (the
 * clock stands still for that) and then builds; the base must be known to every contestant beforehand.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";

export interface Case {
  readonly name: string;
  readonly description: string;
  /** fills the empty folder with the context */
  readonly prepare: (folder: string) => void;
  /** before every build, warm-up included; `round` never repeats */
  readonly change?: (folder: string, round: number) => void;
  /** build flags of the measured build */
  readonly flags?: readonly string[];
}

const write = (folder: string, name: string, text: string): void => {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
};

/** Deterministic and hard to compress: every file differs, as sources do. */
function textOf(seed: number, sizeBytes: number): string {
  let state = (seed * 2_654_435_761) >>> 0;
  let text = "";
  while (text.length < sizeBytes) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    text += `${state.toString(36)} `;
  }
  return text.slice(0, sizeBytes);
}

function writeTree(folder: string, files: number, folders: number, sizeBytes: number): void {
  for (let index = 0; index < files; index += 1) write(folder, `d${index % folders}/f${index}.txt`, textOf(index + 1, sizeBytes));
}

/** The base is a build argument, so that the same files serve every contestant. */
const from = "ARG BASE\nFROM ${BASE}\n";

export const cases: readonly Case[] = [
  {
    name: "cached-rebuild",
    description: "nothing changed: 10 steps, 2,000 files of 2 kB in the context",
    prepare(folder) {
      writeTree(path.join(folder, "src"), 2000, 20, 2048);
      const steps = Array.from({ length: 8 }, (_, index) => `RUN echo ${index} >/step-${index}\n`).join("");
      write(folder, "Dockerfile", `${from}WORKDIR /app\nCOPY src ./\n${steps}`);
    },
  },
  {
    name: "one-file-edit",
    description: "one of 2,000 files changed: COPY and one RUN after it",
    prepare(folder) {
      writeTree(path.join(folder, "src"), 2000, 20, 2048);
      write(folder, "Dockerfile", `${from}RUN echo deps >/deps\nWORKDIR /app\nCOPY src ./\nRUN cat d1/f1.txt >/result\n`);
    },
    change: (folder, round) => write(folder, "src/d1/f1.txt", `round ${round}`),
  },
  {
    name: "20-run-steps",
    description: "20 RUN steps that each write a file, none cached",
    prepare: (folder) => write(folder, "marker", ""),
    change(folder, round) {
      const steps = Array.from({ length: 20 }, (_, index) => `RUN echo ${round} ${index} >/step-${index}\n`).join("");
      write(folder, "Dockerfile", `${from}${steps}`);
    },
    flags: ["--no-cache"],
  },
  {
    name: "copy-30000-files",
    description: "COPY of 30,000 files of 4 kB in 300 folders, nothing cached",
    prepare(folder) {
      writeTree(path.join(folder, "tree"), 30_000, 300, 4096);
    },
    change: (folder, round) => write(folder, "Dockerfile", `${from}LABEL round=${round}\nRUN echo ${round} >/round\nCOPY tree /tree-${round}\n`),
    flags: ["--no-cache"],
  },
];
