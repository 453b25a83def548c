/** COPY, ADD, WORKDIR and heredoc files as BuildKit's definition has them. Pure. */
import { goJson } from "../../base/canonical-json.ts";
import { digestOf } from "../../oci/digest.ts";
import type { CopyAction, FileAction, FileOp, MakeFileAction } from "../../graph/op.ts";
import { cleanPath } from "../../graph/stage-state.ts";
import type { Vertex } from "../../graph/vertex.ts";
import { nonZero, withoutNested, type CacheMap, type CacheMapInput, type ContentSelector } from "./definition.ts";

/** One action of BuildKit: ours with several sources are several of its. */
interface KeyAction {
  readonly definition: object;
  /** of a copy */
  readonly from: number | undefined;
  readonly selector: ContentSelector | undefined;
}

interface Owner {
  readonly user?: object;
  readonly group?: object;
}

export function fileCacheMap(op: FileOp, inputs: readonly Vertex[]): CacheMap | undefined {
  const sources: CacheMapInput["source"][] = inputs.map((_, index) => ({ kind: "input", index }));
  // of directories that WORKDIR makes; what is copied keeps its times
  const timestamp = op.epoch === undefined ? unsetTime : `${op.epoch}000000000`;
  const actions = op.actions.flatMap((action) => keyActions(action, op, { timestamp, sources, inputs }));
  return mapOf(actions, sources, op.scratchBase);
}

/** A directory made from nothing. */
export function mkdirMap(directory: { readonly path: string; readonly mode: number; readonly uid: number; readonly gid: number }): CacheMap {
  const { path, mode, uid, gid } = directory;
  const definition = withTimestamp(nonZero({ path, mode, owner: { user: idOf(uid), group: idOf(gid) } }), unsetTime);
  return mapOf([{ definition, from: undefined, selector: undefined }], [], true);
}

function mapOf(actions: readonly KeyAction[], sources: readonly CacheMapInput["source"][], scratchBase: boolean): CacheMap {
  const indexes = actions.map(({ from }, at): readonly number[] => [
    at === 0 ? (scratchBase ? -1 : 0) : sources.length + at - 1,
    from ?? -1,
    at === actions.length - 1 ? 0 : -1,
  ]);
  const definition = {
    Type: "buildkit.file.v0",
    Actions: actions.map((action) => Buffer.from(formatAction(action.definition)).toString("base64")),
    ...(areUsual(indexes) ? {} : { indexes }),
  };
  return { digest: digestOf(goJson(definition)), inputs: sources.map((source, index) => inputOf(source, selectorsOf(actions, index, scratchBase))) };
}

/** What older versions had no word for: each action on the one before, copies from the second input. */
function areUsual(indexes: readonly (readonly number[])[]): boolean {
  return (
    indexes.length > 0 &&
    indexes.every(([input, from, output], at) => {
      const isLast = at === indexes.length - 1;
      return input === (at === 0 ? 0 : indexes.length + at - 1) && (from === -1 || from === 1) && output === (isLast ? 0 : -1);
    })
  );
}

/** undefined: the input counts by its identity alone, because it is also what the copies go to. */
function selectorsOf(actions: readonly KeyAction[], index: number, scratchBase: boolean): readonly ContentSelector[] | undefined {
  if (index === 0 && !scratchBase) return undefined;
  return actions.flatMap(({ from, selector }) => (from === index && selector !== undefined ? [selector] : []));
}

function inputOf(source: CacheMapInput["source"], selectors: readonly ContentSelector[] | undefined): CacheMapInput {
  if (selectors === undefined || selectors.length === 0) return { source, selector: "", content: undefined };
  const paths = selectors.map(({ path }) => path).sort();
  return { source, selector: digestOf(paths.toReversed().join("\0")), content: withoutRepeats(selectors) };
}

function isPlain({ wildcard, include, exclude }: ContentSelector): boolean {
  return !wildcard && include.length === 0 && exclude.length === 0;
}

function withoutRepeats(selectors: readonly ContentSelector[]): readonly ContentSelector[] {
  const plain = selectors.filter(isPlain);
  const kept = [false, true].flatMap((followLinks) =>
    withoutNested(plain.filter((selector) => selector.followLinks === followLinks).map(({ path }) => path)).map((path) => ({
      path,
      followLinks,
      wildcard: false,
      include: [],
      exclude: [],
    })),
  );
  return [...kept, ...selectors.filter((selector) => !isPlain(selector))].toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

interface Step {
  readonly timestamp: string;
  readonly sources: CacheMapInput["source"][];
  readonly inputs: readonly Vertex[];
}

function keyActions(action: FileAction, op: FileOp, { timestamp, sources, inputs }: Step): readonly KeyAction[] {
  switch (action.type) {
    case "mkdir": {
      const fields = { path: cleanPath(action.path), mode: 0o755, makeParents: true, owner: ownerOf(action.chown) };
      return [{ definition: withTimestamp(nonZero(fields), timestamp), from: undefined, selector: undefined }];
    }
    case "rm":
      return [{ definition: nonZero({ path: action.path, allowNotFound: action.allowNotFound }), from: undefined, selector: undefined }];
    case "mkfile":
      return [makeFile(action, op, sources)];
    case "copy":
      return action.sources.map((source) => (isFetched(inputs[action.input]) ? fetchedAction(action, source) : copyAction(action, source)));
  }
}

/** A script of RUN is made where it is used; COPY's heredoc is a step of its own that is copied from. */
function makeFile(action: MakeFileAction, op: FileOp, sources: CacheMapInput["source"][]): KeyAction {
  const isScript = op.scratchBase && op.actions.length === 1 && action.destination === `/${action.name}` && action.chmod === "0755";
  const made = withTimestamp(
    { path: `/${action.name}`, mode: isScript ? 0o755 : 0o644, ...nonZero({ data: Buffer.from(action.content).toString("base64") }) },
    unsetTime,
  );
  const making: KeyAction = { definition: made, from: undefined, selector: undefined };
  if (isScript) return making;
  const from = sources.push({ kind: "map", map: mapOf([making], [], true) }) - 1;
  const fields = { src: action.name, dest: action.destination, owner: ownerOf(action.chown), ...modeOf(action.chmod), createDestPath: true };
  return { definition: ordered(fields), from, selector: { ...noPatterns, path: `/${action.name}`, followLinks: false } };
}

const noPatterns = { wildcard: false, include: [], exclude: [] } as const;

/** A download or a repository: nothing in it is a pattern or an archive. */
function isFetched(input: Vertex | undefined): boolean {
  return input?.op.type === "http" || input?.op.type === "git";
}

function lastName(path: string): string {
  return path === "/" ? "/" : path.slice(path.lastIndexOf("/") + 1);
}

function fetchedAction(action: CopyAction, written: string): KeyAction {
  const path = cleanPath(`/${written}`);
  const fields = { src: lastName(path), dest: action.destination, owner: ownerOf(action.chown), ...modeOf(action.chmod), createDestPath: true };
  return { definition: ordered({ ...fields, exclude_patterns: action.exclude }), from: action.input, selector: { ...noPatterns, path, followLinks: false } };
}

function copyAction(action: CopyAction, written: string): KeyAction {
  const { path, include } = splitParents(action, written);
  const hasWildcards = containsWildcards(path);
  const fields = {
    src: lastName(path),
    dest: action.destination,
    owner: ownerOf(action.chown),
    ...modeOf(action.chmod),
    followSymlink: true,
    dirCopyContents: true,
    attemptUnpackDockerCompatibility: action.unpack,
    createDestPath: true,
    allowWildcard: true,
    allowEmptyWildcard: true,
    include_patterns: include,
    exclude_patterns: action.exclude,
  };
  return {
    definition: ordered(fields),
    from: action.input,
    selector: { path, followLinks: true, wildcard: hasWildcards, include, exclude: action.exclude },
  };
}

/** `--parents`: what stands before `/./` is where the pattern is looked for. */
function splitParents({ parents }: CopyAction, written: string): { readonly path: string; readonly include: readonly string[] } {
  if (!parents) return { path: cleanPath(`/${written}`), include: [] };
  const pivot = written.indexOf("/./");
  const pattern = pivot < 0 ? written : written.slice(pivot + 3);
  return { path: pivot < 0 ? "/" : cleanPath(`/${written.slice(0, pivot)}`), include: [cleanPath(`/${pattern}`).slice(1)] };
}

function containsWildcards(text: string): boolean {
  return /^(?:[^\\*?[]|\\.)*[*?[]/s.test(text);
}

function modeOf(chmod: string | undefined): { readonly mode: number; readonly modeStr: string } {
  if (chmod === undefined) return { mode: -1, modeStr: "" };
  return /^[0-7]+$/.test(chmod) ? { mode: Number.parseInt(chmod, 8), modeStr: "" } : { mode: 0, modeStr: chmod };
}

/** The members of a copy in the order of BuildKit's message. */
function ordered(fields: Readonly<Record<string, unknown>>): object {
  const { modeStr, include_patterns, exclude_patterns, ...before } = fields;
  return { ...withTimestamp(nonZero(before), unsetTime), ...nonZero({ include_patterns, exclude_patterns, modeStr }) };
}

/** Nanoseconds do not fit a JavaScript number: they are put into the text. */
const unsetTime = "-1";
const timestampMark = "\u0001timestamp:";

function withTimestamp(fields: object, timestamp: string): object {
  return timestamp === "0" ? fields : { ...fields, timestamp: `${timestampMark}${timestamp}` };
}

function formatAction(definition: object): string {
  return goJson(definition).replace(/"\\u0001timestamp:(-?\d+)"/, "$1");
}

function ownerOf(chown: string | undefined): Owner | undefined {
  if (chown === undefined) return undefined;
  const colon = chown.indexOf(":");
  const user = colon < 0 ? chown : chown.slice(0, colon);
  return colon < 0 ? { user: accountOf(user) } : { user: accountOf(user), group: accountOf(chown.slice(colon + 1)) };
}

function accountOf(name: string): object {
  if (name === "root") return idOf(0);
  return /^\d+$/.test(name) ? idOf(Number(name)) : { User: { byName: { name } } };
}

function idOf(id: number): object {
  return { User: nonZero({ byId: id }) };
}
