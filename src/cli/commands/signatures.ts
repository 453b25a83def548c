/** `signatures`: who says to have signed an image, a line each. */
import { printable } from "../../base/printable.ts";
import type { ListedSignature } from "../../engine/api.ts";
import type { Handler } from "../command.ts";
import { formatJsonLine } from "../json.ts";
import { alignColumns } from "../table.ts";
import { outputForm } from "./output-form.ts";
import { signatureRepository } from "./signature-repository.ts";

export const runSignatures: Handler = async (cli, { flags, args: [image = ""] }) => {
  const form = outputForm(flags);
  const engine = await cli.open();
  const listed = await engine.trust.signatures(image, { ...signatureRepository(cli, flags), signal: cli.signal });
  cli.stdout.write(form === "json" ? `${formatJsonLine(listed)}\n` : tableOf(listed.signatures));
  for (const why of listed.unread) cli.stderr.write(printable(`Not all was looked at: ${why}\n`));
  return 0;
};

function tableOf(signatures: readonly ListedSignature[]): string {
  const cell = (text: string): string => printable(text).replace(/[\t\n]/g, " ");
  const rows = signatures.map(({ format, isReadable, claimedBy, claimedFor, manifest }) => {
    const by = isReadable ? (claimedBy ?? "somebody") : "(unreadable)";
    return [format, cell(by), cell(claimedFor ?? (isReadable ? "any name" : "")), manifest];
  });
  return alignColumns([["FORMAT", "SAYS IT IS BY", "FOR", "MANIFEST"], ...rows].map((cells) => `${cells.join("\t")}\n`).join(""));
}
