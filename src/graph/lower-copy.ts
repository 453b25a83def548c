/** COPY, ADD and WORKDIR → file vertices. */
import { withoutUrlCredentials } from "../base/url-credentials.ts";
import { SlipwayError } from "../base/errors.ts";
import { goQuote } from "../base/go-text.ts";
import type { AddInstruction, CopyInstruction, LineRange, WorkdirInstruction } from "../dockerfile/instruction.ts";
import { formatStepName } from "../dockerfile/step-name.ts";
import { expandWord } from "../dockerfile/word.ts";
import { refuseExpansion } from "./copy-from-word.ts";
import { parseModeChange } from "./file-mode.ts";
import type { FileAction, GitOp, HttpOp } from "./op.ts";
import { absolutePath, cleanPath, type StageState } from "./stage-state.ts";
import { createVertex, plainMetadata, scratchVertex, type Vertex } from "./vertex.ts";
import { parseGitUrl, isGitUrl, isHttpUrl, fileNameOfUrl, type GitSource } from "./remote-source.ts";

export interface CopySurroundings {
  /** the vertex behind `--from`, or the build context for undefined; undefined: an empty stage */
  readonly source: (from: string | undefined, lines: LineRange) => Vertex | undefined;
  readonly epoch: number | undefined;
}

interface Target {
  readonly destination: string;
  readonly chown: string | undefined;
  readonly chmod: string | undefined;
}

export function lowerCopy(state: StageState, instruction: CopyInstruction | AddInstruction, surroundings: CopySurroundings): void {
  const { lines } = instruction;
  const expand = (word: string): string => state.expand(word, lines);
  // The order in which Docker finds the first word that it cannot expand; a flag that comes out empty is as good as none.
  const chown = expand(instruction.chown ?? "") || undefined;
  const chmod = checkedMode(expand(instruction.chmod ?? ""));
  const sources = instruction.sources.map(expand);
  const target: Target = { destination: absolutePath(expand(instruction.destination), state.workdir), chown, chmod };
  // Docker does not link what it gives modes: the directories on the way are the base's then.
  const isLinked = instruction.link && chmod === undefined;
  const inputs: Vertex[] = isLinked || state.root === undefined ? [] : [state.root];
  const actions = [...sourceActions(state, instruction, sources, target, inputs, surroundings), ...heredocActions(state, instruction, target)];
  const scratchBase = isLinked || state.root === undefined;
  const description = formatStepName(instruction, state.variables, { escape: state.context.escape });
  const metadata = state.metadata(instruction, `${state.nextPrefix()}${description}`, description);
  const layer = createVertex({ type: "file", actions, scratchBase, epoch: surroundings.epoch }, inputs, metadata);
  const root =
    isLinked && state.root !== undefined
      ? createVertex({ type: "merge" }, [state.root, layer], { ...metadata, name: `[internal] merge ${description}` })
      : layer;
  state.root = root;
  state.addHistory(createdBy(state, instruction, sources, target), root);
}

function createdBy(state: StageState, instruction: CopyInstruction | AddInstruction, sources: readonly string[], target: Target): string {
  const flags = [...(target.chown === undefined ? [] : [`--chown=${target.chown}`]), ...(target.chmod === undefined ? [] : [`--chmod=${target.chmod}`])];
  const heredocs = instruction.heredocs.map((heredoc) => `<<${heredoc.name}`);
  const destination = state.expand(instruction.destination, instruction.lines);
  // an image does not say by which password its files were had
  const shown = sources.map((source) => withoutUrlCredentials(source));
  return [instruction.type.toUpperCase(), ...flags, ...shown, ...heredocs, destination, "# buildkit"].join(" ");
}

/** ADD's remote sources are inputs of their own; everything else lies in one input and keeps its order. */
function sourceActions(
  state: StageState,
  instruction: CopyInstruction | AddInstruction,
  sources: readonly string[],
  target: Target,
  inputs: Vertex[],
  surroundings: CopySurroundings,
): readonly FileAction[] {
  const actions: FileAction[] = [];
  const common = {
    type: "copy",
    ...target,
    exclude: instruction.exclude,
    parents: instruction.parents,
    verb: instruction.type === "add" ? "ADD" : "COPY",
  } as const;
  const local = (): number => {
    // triggers were not looked at before
    if (instruction.type === "copy" && instruction.from !== undefined) refuseExpansion(instruction.from, instruction.lines);
    const vertex = surroundings.source(instruction.type === "copy" ? instruction.from : undefined, instruction.lines) ?? scratchVertex(state.context.contextId);
    return inputIndex(inputs, vertex);
  };
  if (instruction.type === "add" && instruction.checksum !== undefined && sources.length > 1) throw severalChecked(instruction);
  for (const source of sources) {
    if (instruction.type === "copy") refuseRemote(source);
    if (instruction.type === "add" && (isHttpUrl(source) || isGitUrl(source))) {
      actions.push({ ...common, ...remoteSource(state, instruction, source, inputs) });
      continue;
    }
    if (instruction.type === "add" && instruction.checksum !== undefined) throw checksumError(instruction);
    const unpack = instruction.type === "add" && instruction.unpack !== false;
    const last = actions.at(-1);
    const input = local();
    // A relative source means the same as one from the root; `..` never leaves it.
    const path = cleanPath(`/${source}`) + (source.endsWith("/") && cleanPath(`/${source}`) !== "/" ? "/" : "");
    const named = instruction.parents ? source : path;
    if (last?.type === "copy" && last.input === input && last.unpack === unpack) actions[actions.length - 1] = { ...last, sources: [...last.sources, named] };
    else actions.push({ ...common, input, sources: [named], unpack });
  }
  return actions;
}

function refuseRemote(source: string): void {
  const what = isGitUrl(source) ? "git ref" : isHttpUrl(source) ? "URL" : undefined;
  if (what !== undefined) throw new SlipwayError("invalid_argument", "DOCKERFILE_PARSE", `source can't be a ${what} for COPY`, { source });
}

function inputIndex(inputs: Vertex[], vertex: Vertex): number {
  // The base itself may be the source too (COPY --from of the stage it stands on): inputs are told apart by position, so look behind the base.
  const known = inputs.findIndex((input) => input.digest === vertex.digest);
  return known >= 0 ? known : inputs.push(vertex) - 1;
}

/** Fails with INVALID_CHMOD; an empty one is none. */
function checkedMode(chmod: string): string | undefined {
  if (chmod === "") return undefined;
  parseModeChange(chmod);
  return chmod;
}

const checksumLengths: ReadonlyMap<string, number> = new Map([
  ["sha256", 64],
  ["sha384", 96],
  ["sha512", 128],
]);

/** A file's digest. Fails with INVALID_DIGEST in Docker's words. */
function checkFileDigest(checksum: string): void {
  const match = /^([a-z0-9]+(?:[.+_-][a-z0-9]+)*):([0-9a-zA-Z=_-]+)$/.exec(checksum);
  const length = checksumLengths.get(match?.[1] ?? "");
  const hex = match?.[2] ?? "";
  if (match !== null && length !== undefined && hex.length === length && /^[0-9a-f]+$/.test(hex)) return;
  const fault = match === null ? "invalid checksum digest format" : length === undefined ? "unsupported digest algorithm" : undefined;
  const message = fault ?? `invalid checksum digest ${hex.length === length ? "format" : "length"}`;
  throw new SlipwayError("invalid_argument", "INVALID_DIGEST", message, { got: checksum.slice(0, 200) });
}

function checksumError(instruction: AddInstruction): SlipwayError {
  return new SlipwayError("invalid_argument", "DOCKERFILE_PARSE", "checksum requires HTTP(S) or Git sources", { lines: instruction.lines });
}

function severalChecked(instruction: AddInstruction): SlipwayError {
  return new SlipwayError("invalid_argument", "DOCKERFILE_PARSE", "checksum can't be specified for multiple sources", { lines: instruction.lines });
}

function remoteSource(
  state: StageState,
  instruction: AddInstruction,
  source: string,
  inputs: Vertex[],
): { readonly input: number; readonly sources: readonly string[]; readonly unpack: boolean; readonly chmod?: string } {
  const checksum = instruction.checksum === undefined ? "" : state.expand(instruction.checksum, instruction.lines);
  const { contextId, ignoreCache } = state.context;
  // Docker names no line for what fails in fetching.
  const metadata = plainMetadata({ name: "", slot: `${contextId}|remote|${source}`, ignoreCache, description: source });
  if (isGitUrl(source)) {
    const git = parseGitUrl(source);
    const op: GitOp = { type: "git", ...git, keepGitDir: keepsGitDir(instruction, git), checksum: agreedChecksum(checksum, git.checksum) };
    return { input: inputIndex(inputs, createVertex(op, [], { ...metadata, name: `[internal] load git source ${source}` })), sources: ["/"], unpack: false };
  }
  if (checksum !== "") checkFileDigest(checksum);
  const fileName = fileNameOfUrl(source);
  const op: HttpOp = { type: "http", url: source, checksum, fileName };
  const input = inputIndex(inputs, createVertex(op, [], { ...metadata, name: `[internal] load remote build context ${source}` }));
  return { input, sources: [`/${fileName}`], unpack: instruction.unpack ?? false };
}

/** Flag and address may both say it, but not different things. */
function keepsGitDir({ keepGitDir: flag, lines }: AddInstruction, { keepGitDir }: GitSource): boolean {
  if (flag === undefined || keepGitDir === undefined || flag === keepGitDir) return flag ?? keepGitDir ?? false;
  throw new SlipwayError("invalid_argument", "INVALID_GIT_URL", "inconsistent keep-git-dir configuration", { lines });
}

function agreedChecksum(flag: string, inAddress: string): string {
  if (flag === "" || inAddress === "" || flag === inAddress) return flag === "" ? inAddress : flag;
  throw new SlipwayError("invalid_argument", "INVALID_GIT_URL", `checksum mismatch ${goQuote(flag)} != ${goQuote(inAddress)}`, {});
}

function heredocActions(state: StageState, instruction: CopyInstruction | AddInstruction, target: Target): readonly FileAction[] {
  return instruction.heredocs.map((heredoc): FileAction => {
    const content = heredoc.expand ? expandBody(state, heredoc.content, instruction.lines) : heredoc.content;
    return { type: "mkfile", ...target, name: heredoc.name, content };
  });
}

/** A heredoc's body: variables are replaced, quotes stay, and the escape character is always a backslash. */
function expandBody(state: StageState, content: string, lines: LineRange): string {
  try {
    return expandWord(content, state.variables, { skipQuotes: true }).result;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new SlipwayError("invalid_argument", "DOCKERFILE_PARSE", message, { lines }, error);
  }
}

export function lowerWorkdir(state: StageState, instruction: WorkdirInstruction, epoch: number | undefined): void {
  const word = state.expand(instruction.path, instruction.lines);
  // An absolute path stays as it is written, in the config too; a relative one is joined and cleaned.
  const path = word.startsWith("/") ? word : cleanPath(absolutePath(word, state.workdir));
  state.config.WorkingDir = path;
  const description = formatStepName(instruction, state.variables, { escape: state.context.escape });
  const metadata = state.metadata(instruction, `${state.nextPrefix()}${description}`, description);
  if (path === "/") {
    state.addHistory(`WORKDIR ${path}`);
    return;
  }
  const chown = state.config.User === undefined || state.config.User === "" ? undefined : state.config.User;
  const vertex = createVertex(
    { type: "file", scratchBase: state.root === undefined, epoch, actions: [{ type: "mkdir", path, chown }] },
    state.root === undefined ? [] : [state.root],
    metadata,
  );
  state.root = vertex;
  state.addHistory(`WORKDIR ${path}`, vertex);
}
