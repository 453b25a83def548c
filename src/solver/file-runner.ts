/** Runs file operations: COPY, ADD, WORKDIR, heredoc files. All actions of one vertex make one layer. */
import { randomUUID } from "node:crypto";
import { Breath } from "../base/breath.ts";
import { canonicalJson } from "../base/canonical-json.ts";
import { SlipwayError } from "../base/errors.ts";
import { digestOf } from "../oci/digest.ts";
import type { CopyAction, FileAction, FileOp } from "../graph/op.ts";
import { identityOf, type Vertex } from "../graph/vertex.ts";
import { chainId, emptyLayer, emptyView, parentOf, type Chain, type FileView, type Store } from "../store/index.ts";
import { endOfArchive } from "../tar/writer.ts";
import { applyCopy, directoryNode, makeDirectories, resolveDestination, type Placement } from "./apply-copy.ts";
import type { UnpackSurroundings } from "./archives.ts";
import { contentKeyOf, emitLayer } from "./emit-layer.ts";
import { digestFile, FileDigests } from "./file-digests.ts";
import { directoryModeOf, parseModeChange } from "../graph/file-mode.ts";
import { LayerDraft } from "./layer-draft.ts";
import { fileInputs } from "./miss-reason.ts";
import { resolveOwner } from "./owners.ts";
import { resolveInTree } from "./resolve-path.ts";
import type { Result } from "./results.ts";
import { digestSelection, digestTimes, keepsXattrs, selectSources, unknownContent, type SelectedSource, type SourceTree } from "./selection.ts";
import type { StepRun } from "./step-cache.ts";

export interface FileStep {
  readonly store: Store;
  readonly vertex: Vertex;
  readonly op: FileOp;
  readonly inputs: readonly Result[];
  readonly signal: AbortSignal | undefined;
  /** bytes copied so far, now and then */
  readonly onBytes: (bytes: number) => void;
}

/** What a copy takes, looked at before the cache is asked. */
interface PreparedCopy {
  readonly action: CopyAction;
  readonly tree: SourceTree;
  readonly selection: readonly SelectedSource[];
  /** undefined while contents are unknown */
  readonly digest: string | undefined;
}

export interface PreparedFileStep {
  readonly key: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly copies: ReadonlyMap<FileAction, PreparedCopy>;
}

/** Read what is new before asking the cache when it is at most this share of the selection. */
const smallShare = 0.25;

export function baseChain({ op, inputs }: FileStep): Chain {
  const base = op.scratchBase ? undefined : inputs[0];
  return base?.kind === "layers" ? base.chain : [];
}

/** Cheap part: selections from client directories, keys. Layers that are copied from count by their chain and are not looked into. */
export async function prepareFileStep(step: FileStep): Promise<PreparedFileStep> {
  const { op, vertex } = step;
  const copies = new Map<FileAction, PreparedCopy>();
  const sources: string[] = [];
  const files: { path: string; digest: string }[] = [];
  for (const action of op.actions) {
    if (action.type !== "copy") continue;
    const input = inputOf(step, action);
    if (input.kind === "layers") {
      sources.push(`chain ${chainId(input.chain)}`);
      continue;
    }
    const prepared = await prepareCopy(action, input.tree, step.signal);
    copies.set(action, prepared);
    sources.push(prepared.digest === undefined ? `unknown ${randomUUID()}` : selectionKey(prepared.digest, prepared));
    files.push(...listFiles(prepared));
  }
  const base = chainId(baseChain(step));
  const key = fileKey(op, base, sources);
  const inputs = {
    instruction: vertex.metadata.instruction,
    image: digestOf(vertex.metadata.baseImage),
    base,
    source: sources.join(),
    ...fileInputs(files, digestOf),
  };
  return { key, inputs: files.length > 0 ? omit(inputs, "source") : inputs, copies };
}

/** Times of files do not count, unless they were settled: then the layer has to have those. */
function selectionKey(digest: string, { selection, tree }: PreparedCopy): string {
  const times = digestTimes(selection, tree);
  return `selection ${digest}${times === "" ? "" : ` at ${times}`}`;
}

function omit(record: Readonly<Record<string, string>>, key: string): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => name !== key));
}

/** The op's own identity without input numbers: those are replaced by what the inputs are. */
function fileKey(op: FileOp, base: string, sources: readonly string[]): string {
  return digestOf(canonicalJson({ version: "file-step.v2", op: identityOf(op), base, sources }));
}

function inputOf({ inputs }: FileStep, action: CopyAction): Result {
  const input = inputs[action.input];
  if (input === undefined) throw new SlipwayError("internal", "INTERNAL", `copy from input ${action.input} of ${inputs.length}`);
  return input;
}

async function prepareCopy(action: CopyAction, tree: SourceTree, signal: AbortSignal | undefined): Promise<PreparedCopy> {
  const selection = selectSources(action, tree);
  const { files, total } = unknownContent(selection, tree.digests);
  const breath = new Breath(signal);
  if (files.length <= 16 || files.length < total * smallShare) for (const node of files) tree.digests.set(node, await digestFile(node, breath));
  return { action, tree, selection, digest: digestSelection(selection, tree.digests) };
}

function listFiles({ selection, tree }: PreparedCopy): readonly { path: string; digest: string }[] {
  return selection.flatMap(({ files }) =>
    files
      .filter(({ node }) => node.type !== "directory")
      .map(({ path, node }) => ({ path, digest: node.type === "file" ? (tree.digests.get(node) ?? "") : node.linkname })),
  );
}

/** Makes the layer. */
export async function runFileStep(step: FileStep, prepared: PreparedFileStep): Promise<StepRun> {
  const { store, op, signal } = step;
  const chain = baseChain(step);
  const base: FileView = chain.length === 0 ? emptyView : await store.materializer.view(chain, signal);
  const draft = new LayerDraft(base);
  const digests = new FileDigests();
  const copies: PreparedCopy[] = [];
  for (const action of op.actions) await applyAction(step, action, draft, prepared, copies);
  if (draft.empty) return emptyResult(store);
  const known = contentKeyOf(draft);
  const before = known === undefined ? undefined : store.cache.lookup(contentAlias(known, copies));
  if (known !== undefined && before !== undefined && !step.vertex.metadata.ignoreCache) {
    return { layers: before.layers, sizeBytes: before.sizeBytes, cached: true, createdMs: before.createdMs };
  }
  const target = copies[0]?.tree.digests ?? digests;
  const layer = await emitLayer(store, draft, target, { signal, onProgress: step.onBytes });
  const learned = learnedKey(step, prepared, copies);
  return {
    layers: [layer.diffId],
    sizeBytes: layer.sizeBytes,
    aliases: [contentAlias(layer.contentKey, copies), ...(learned === undefined ? [] : [learned])],
    inputs: fileInputs(copies.filter(({ tree }) => !keepsXattrs(tree)).flatMap(listFiles), digestOf),
  };
}

function contentAlias(contentKey: string, copies: readonly PreparedCopy[]): string {
  const times = copies.map(({ selection, tree }) => digestTimes(selection, tree)).join(" ");
  return times.trim() === "" ? `content:${contentKey}` : `content at ${times}:${contentKey}`;
}

/** The key that the next build will compute, now that all contents are known. */
function learnedKey(step: FileStep, prepared: PreparedFileStep, copies: readonly PreparedCopy[]): string | undefined {
  if (copies.every((copy) => copy.digest !== undefined || !prepared.copies.has(copy.action))) return undefined;
  const sources: string[] = [];
  for (const action of step.op.actions) {
    if (action.type !== "copy") continue;
    const input = inputOf(step, action);
    if (input.kind === "layers") sources.push(`chain ${chainId(input.chain)}`);
    else {
      const copy = prepared.copies.get(action);
      const digest = copy === undefined ? undefined : digestSelection(copy.selection, copy.tree.digests);
      if (copy === undefined || digest === undefined) return undefined;
      sources.push(selectionKey(digest, copy));
    }
  }
  return fileKey(step.op, chainId(baseChain(step)), sources);
}

function emptyResult(store: Store): StepRun {
  if (!store.layers.has(emptyLayer)) {
    using ingest = store.blobs.ingest();
    ingest.write(endOfArchive);
    ingest.commit({ digest: emptyLayer });
  }
  store.layers.addTar(emptyLayer, 0);
  return { layers: [emptyLayer], sizeBytes: 0 };
}

async function applyAction(step: FileStep, action: FileAction, draft: LayerDraft, prepared: PreparedFileStep, copies: PreparedCopy[]): Promise<void> {
  const createdNs = BigInt(step.op.epoch ?? 0) * 1_000_000_000n;
  const chown = "chown" in action ? action.chown : undefined;
  const owner = chown === undefined ? undefined : await resolveOwner(chown, baseChain(step), step.store, step.signal);
  const chmod = "chmod" in action ? action.chmod : undefined;
  const mode = chmod === undefined ? undefined : parseModeChange(chmod);
  const placement: Placement = { owner, mode, directoryMode: directoryModeOf(chmod), createdNs };
  switch (action.type) {
    case "mkdir":
      return makeWorkdir(draft, action.path, placement);
    case "mkfile":
      return makeFile(draft, action, placement);
    case "rm":
      return removePath(draft, action.path, action.allowNotFound);
    case "copy": {
      const copy = prepared.copies.get(action) ?? (await readLayers(step, action));
      copies.push(copy);
      // one after the other: what comes later meets what came before
      for (const source of copy.selection) {
        const isUnpacked = action.unpack && (await unpackSource(step, draft, action, source, placement));
        if (!isUnpacked) applyCopy(draft, action, [source], copy.tree, placement);
      }
      return;
    }
  }
}

async function unpackSource(step: FileStep, draft: LayerDraft, action: CopyAction, source: SelectedSource, placement: Placement): Promise<boolean> {
  const { unpackArchive } = await import("./archives.ts");
  return await unpackArchive(draft, action, source, placement, unpackSurroundings(step));
}

function unpackSurroundings(step: FileStep): UnpackSurroundings {
  const { store, signal } = step;
  return { store, signal, readableBase: () => readBase(step) };
}

async function readBase(step: FileStep): Promise<FileView> {
  const chain = baseChain(step);
  return chain.length === 0 ? emptyView : await step.store.materializer.readableView(chain, step.signal);
}

async function readLayers(step: FileStep, action: CopyAction): Promise<PreparedCopy> {
  const input = inputOf(step, action);
  if (input.kind !== "layers") throw new SlipwayError("internal", "INTERNAL", "a client directory was not prepared");
  const view = await step.store.materializer.readableView(input.chain, step.signal);
  const isBase = action.input === 0 && !step.op.scratchBase;
  const tree: SourceTree = { view, digests: new FileDigests(), origin: { kind: isBase ? "base" : "layers" } };
  return { action, tree, selection: selectSources(action, tree), digest: undefined };
}

/** An existing directory stays as it is and adds nothing to the layer. */
function makeWorkdir(draft: LayerDraft, path: string, placement: Placement): void {
  const resolved = resolveInTree(draft, path);
  if (draft.lookup(resolved)?.type === "directory") return;
  makeDirectories(draft, resolved, placement);
}

function makeFile(draft: LayerDraft, action: Extract<FileAction, { type: "mkfile" }>, placement: Placement): void {
  // Docker makes the file in a directory of its own first
  if (action.name.includes("/"))
    throw new SlipwayError("not_found", "PATH_NOT_FOUND", `open /${action.name}: no such file or directory`, { path: action.name, lines: undefined });
  const destination = resolveDestination(draft, action.destination, placement);
  const path = draft.lookup(destination)?.type === "directory" ? `${destination === "" ? "" : `${destination}/`}${action.name}` : destination;
  if (draft.lookup(path)?.type === "directory")
    throw new SlipwayError("invalid_argument", "CANNOT_REPLACE", `cannot replace to directory /${path} with file`, { path: `/${path}` });
  makeDirectories(draft, parentOf(path), placement);
  const bytes = Buffer.from(action.content);
  const mode = placement.mode?.(0o644, false) ?? 0o644;
  draft.put(
    path,
    { ...directoryNode, type: "file", mode, size: bytes.length, mtimeNs: placement.createdNs, ...placement.owner },
    { content: { kind: "bytes", bytes } },
  );
}

function removePath(draft: LayerDraft, path: string, allowNotFound: boolean): void {
  const resolved = resolveInTree(draft, path, { followLast: false });
  if (draft.lookup(resolved) !== undefined) draft.remove(resolved);
  else if (!allowNotFound) throw new SlipwayError("not_found", "PATH_NOT_FOUND", `remove ${path}: no such file or directory`, { path });
}
