/** What is said of a tree of files, as files beside them: `provenance.json`, `sbom.spdx.json`. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { escapeHtml } from "../../base/canonical-json.ts";
import type { FileView } from "../../store/index.ts";
import { statementAbout } from "../attestations/attestation-manifest.ts";
import { predicatesOf } from "../provenance/attest-build.ts";
import { familiar } from "../image-names.ts";
import type { Exportable } from "./exportable.ts";
import { walk } from "./export-tree.ts";

export interface StatementFile {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Of the image at that position. The subjects are all regular files, by SHA-256. */
export async function statementFiles(input: Exportable, at: number, view: FileView, prefix: string): Promise<readonly StatementFile[]> {
  const { requests, tags, signal } = input;
  if (requests === undefined) return [];
  const [name] = tags;
  const found = await predicatesOf(input, requests, {
    at,
    layers: [],
    nowMs: Date.now(),
    name: name === undefined ? "" : familiar(name),
    manifest: undefined,
  });
  const subjects = await digestsOf(view, signal);
  return found.map(({ predicateType, predicate, file, subjects: own = subjects }) => ({
    name: `${prefix}${file}`,
    bytes: indented(statementAbout(own, predicateType, predicate)),
  }));
}

/** As Docker writes files for people; in registries each byte counts. */
function indented(statement: Buffer): Buffer {
  return Buffer.from(escapeHtml(JSON.stringify(JSON.parse(String(statement)), undefined, 2)));
}

async function digestsOf(view: FileView, signal: AbortSignal): Promise<readonly object[]> {
  const subjects: object[] = [];
  for (const [path, node] of walk(view)) {
    if (node.type !== "file") continue;
    const hash = createHash("sha256");
    if (node.size > 0) for await (const chunk of createReadStream(node.diskPath ?? "", { signal, highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
    subjects.push({ name: path, digest: { sha256: hash.digest("hex") } });
  }
  return subjects;
}
