/** Programs that carry the list of what they were made of. */
import type { FileFacts } from "./package-reader.ts";
import { readGoModules } from "./go-build-info.ts";
import { readElfSections, type PieceReader } from "./elf-sections.ts";
import { readRustCrates } from "./rust-audit-data.ts";

export const maxProgramBytes = 320 * 2 ** 20;

export function isProgram(head: Uint8Array): boolean {
  return head[0] === 0x7f && head[1] === 0x45 && head[2] === 0x4c && head[3] === 0x46;
}

export function readProgram(program: PieceReader): FileFacts {
  const sections = readElfSections(program, [".go.buildinfo", ".dep-v0"]);
  const packages = [...readGoModules(sections.get(".go.buildinfo")), ...readRustCrates(sections.get(".dep-v0"))];
  return packages.length === 0 ? {} : { packages };
}
