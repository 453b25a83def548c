/** `doctor`: what this machine can do; exit code 1 when something is missing. */
import { printable } from "../../base/printable.ts";
import type { DoctorFinding } from "../../engine/api.ts";
import type { Handler } from "../command.ts";

const marks: Readonly<Record<DoctorFinding["status"], string>> = { ok: "ok", warning: "warning", missing: "MISSING" };

export function formatFindings(findings: readonly DoctorFinding[]): string {
  const width = Math.max(0, ...findings.map((finding) => finding.name.length));
  return findings
    .map(({ name, status, message, remedy }) => {
      const line = `${marks[status].padEnd(8)} ${printable(name).padEnd(width)}  ${printable(message)}\n`;
      return remedy === undefined ? line : `${line}${" ".repeat(9 + width)}  → ${printable(remedy)}\n`;
    })
    .join("");
}

export const runDoctor: Handler = async (cli, { flags }) => {
  const engine = await cli.open();
  const findings = await engine.system.doctor();
  cli.stdout.write(flags.bool("json") ? `${JSON.stringify(findings, null, 2)}\n` : formatFindings(findings));
  return findings.some((finding) => finding.status === "missing") ? 1 : 0;
};
