/** `lock`: asks for everything remote that Dockerfiles name, once, and writes down what it is. */
import { rmSync } from "node:fs";
import { SlipwayError } from "../../base/errors.ts";
import type { LineRange } from "../../dockerfile/instruction.ts";
import type { ResolvedImage } from "../../graph/lowering.ts";
import type { Digest } from "../../oci/digest.ts";
import { familiarName, formatReference, parseReference, withDigest } from "../../oci/reference.ts";
import type { BuildOptions, DockerfileSource, LockOptions, LockResult } from "../api.ts";
import { openBuild, type BuildSurroundings } from "../build/build-image.ts";
import { withExcerpt } from "../build/diagnostics.ts";
import { downloadFile } from "../build/download.ts";
import { cloneRepository } from "../build/git-source.ts";
import { parseBuild } from "../build/lint.ts";
import { lowerBuild } from "../build/lower-build.ts";
import { runStepOf } from "../build/progress-steps.ts";
import { targetPlatforms } from "../build/target-platforms.ts";
import { findImage } from "../image-names.ts";
import { parseAttestations, scannerName } from "../provenance/attestation-options.ts";
import { compareLocks, emptyLock, findEntry, formatLock, type Lock, type LockEntry, type LockKind } from "./lock-file.ts";
import { dockerfileInLock, lockPath, readLock, writeLock } from "./lock-place.ts";
import { remoteSources, syntaxImage, type RemoteSource } from "./remote-names.ts";

/** Fails with LOCK_INVALID, LOCK_LOCAL_IMAGE, LOCK_NO_SUCH_NAME, USAGE and as a build that resolves its bases. */
export async function lockBuild(options: LockOptions, surroundings: BuildSurroundings): Promise<LockResult> {
  const signal = options.signal ?? new AbortController().signal;
  const files: readonly (DockerfileSource | undefined)[] = options.dockerfiles?.length === 0 ? [undefined] : (options.dockerfiles ?? [undefined]);
  if (options.context.kind !== "directory" && options.lockFile === undefined && options.check !== true) {
    throw new SlipwayError("invalid_argument", "USAGE", "a context from elsewhere keeps no file: --lockfile says where to write the lock");
  }
  const pins = new Pins(options, surroundings, signal);
  const { sbom } = parseAttestations(options.attestations ?? [], true);
  let path: string | undefined;
  for (const dockerfile of files) {
    const build: BuildOptions = { ...options, ...(dockerfile === undefined ? {} : { dockerfile }) };
    const { context, loaded } = await openBuild(build, surroundings, signal);
    const place = { directory: context.directory, dockerfile: files.length === 1 ? dockerfile : undefined, lockFile: options.lockFile };
    path ??= lockPath(place);
    pins.begin(path, dockerfileInLock(context.directory, dockerfile, path));
    const parsed = parseBuild(loaded);
    try {
      const syntax = syntaxImage(parsed.source.text);
      if (syntax !== undefined && !pins.hasBuiltinSyntax) await pinSyntax(pins, syntax);
      const targets = targetPlatforms({ platforms: options.platforms ?? [] });
      const lowered = await lowerBuild(build, {
        contextId: context.id,
        parsed,
        targets,
        images: new Map<string, ResolvedImage>(),
        resolver: { ...surroundings, signal, pin: pins.image },
        dryRun: { allStages: (options.target ?? "") === "" },
      });
      if (sbom?.scanner !== undefined) await pins.image({ reference: scannerName(sbom.scanner.image), place: undefined });
      for (const source of remoteSources(lowered.flatMap((platform) => platform.lowered.stages))) await pins.source(source);
    } catch (error) {
      throw withExcerpt(error, parsed.source);
    }
  }
  return finish(options, path ?? "", pins);
}

/** Most Dockerfiles have the line, and not every mirror has that image. */
async function pinSyntax(pins: Pins, { name, lines }: { readonly name: string; readonly lines: LineRange }): Promise<void> {
  try {
    await pins.image({ reference: name, place: lines });
  } catch (error) {
    if (!(error instanceof SlipwayError)) throw error;
    const remedy = "slipway lock --builtin-syntax leaves it out: Slipway needs no image for it";
    throw new SlipwayError(error.kind, error.code, error.message, { ...error.details, remedy }, error);
  }
}

function finish(options: LockOptions, path: string, pins: Pins): LockResult {
  const before = pins.before;
  const after = pins.finish();
  const changes = compareLocks(before, after);
  const isCurrent = changes.every(({ change }) => change === "kept");
  const text = formatLock(after);
  const writes = options.check !== true && (text !== formatLock(before) || readLock(path) === undefined);
  if (writes) writeLock(path, text);
  return { path, changes, isCurrent, isWritten: writes };
}

/** What was asked for, and is asked for once. */
class Pins {
  before: Lock = emptyLock;
  readonly #options: LockOptions;
  readonly #surroundings: BuildSurroundings;
  readonly #signal: AbortSignal;
  readonly #found = new Map<string, Promise<string>>();
  readonly #entries = new Map<string, LockEntry>();
  readonly #dockerfiles = new Set<string>();
  readonly #updated = new Set<string>();
  #path: string | undefined;
  #dockerfile = "";

  constructor(options: LockOptions, surroundings: BuildSurroundings, signal: AbortSignal) {
    this.#options = options;
    this.#surroundings = surroundings;
    this.#signal = signal;
  }

  begin(path: string, dockerfile: string): void {
    if (this.#path === undefined) this.before = readLock(path) ?? emptyLock;
    this.#path = path;
    this.#dockerfile = dockerfile;
    this.#dockerfiles.add(dockerfile);
  }

  readonly image = async ({ reference, place }: { readonly reference: string; readonly place: LineRange | undefined }): Promise<string> => {
    const named = parseReference(reference);
    if (named.digest !== undefined) return reference;
    const digest = await this.#pin("image", reference, async () => {
      try {
        const { descriptor } = await (await this.#surroundings.client()).resolve(named, { signal: this.#signal });
        return descriptor.digest;
      } catch (error) {
        this.#signal.throwIfAborted();
        if (!(error instanceof SlipwayError)) throw error;
        if (error.kind === "not_found" && findImage(this.#surroundings.store, reference) !== undefined) throw onlyHere(reference, error);
        throw new SlipwayError(error.kind, error.code, `${familiarName(named)}: ${error.message}`, { ...error.details, lines: place }, error);
      }
    });
    return formatReference(withDigest(named, digest as Digest));
  };

  async source({ kind, name, op, lines }: RemoteSource): Promise<void> {
    const { store } = this.#surroundings;
    await this.#pin(kind, name, async () => {
      try {
        if (op.type === "git") return (await cloneRepository({ ...op, directory: store.layers.workDirectory("git"), signal: this.#signal })).commit;
        const path = store.lease().temporaryPath("lock");
        try {
          return `sha256:${(await downloadFile({ url: op.url, path, checksum: "", signal: this.#signal })).sha256}`;
        } finally {
          rmSync(path, { force: true });
        }
      } catch (error) {
        if (!(error instanceof SlipwayError)) throw error;
        throw new SlipwayError(error.kind, error.code, `${name}: ${error.message}`, { ...error.details, lines }, error);
      }
    });
  }

  async #pin(kind: LockKind, name: string, ask: () => Promise<string>): Promise<string> {
    const key = `${kind} ${name}`;
    let found = this.#found.get(key);
    if (found === undefined) {
      const known = findEntry(this.before, kind, name)?.value;
      found = known !== undefined && !this.#isUpdated(kind, name) ? Promise.resolve(known) : this.#ask(name, ask);
      this.#found.set(key, found);
    }
    const value = await found;
    const usedBy = new Set([...(this.#entries.get(key)?.usedBy ?? []), this.#dockerfile]);
    this.#entries.set(key, { kind, name, value, usedBy: [...usedBy] });
    return value;
  }

  #ask(name: string, ask: () => Promise<string>): Promise<string> {
    return runStepOf(this.#surroundings.onProgress, `[internal] pin ${name}`, ask);
  }

  /** Names may be given as they stand in the Dockerfile. */
  #isUpdated(kind: LockKind, name: string): boolean {
    const { update } = this.#options;
    if (update === undefined || update === false) return false;
    if (update === true) return true;
    const short = kind === "image" ? familiarName(parseReference(name)) : name;
    const matching = update.filter((word) => [name, short, short.replace(/:latest$/, "")].includes(word) || (kind === "image" && short.split(":")[0] === word));
    for (const word of matching) this.#updated.add(word);
    return matching.length > 0;
  }

  get hasBuiltinSyntax(): boolean {
    return this.#options.builtinSyntax ?? this.before.hasBuiltinSyntax;
  }

  /** What Dockerfiles that were not asked about use stays; of those that were, only with `keep`. */
  finish(): Lock {
    const { update, keep } = this.#options;
    const unknown = Array.isArray(update) ? (update as readonly string[]).find((word) => !this.#updated.has(word)) : undefined;
    if (unknown !== undefined) {
      throw new SlipwayError("not_found", "LOCK_NO_SUCH_NAME", `--update: nothing that is named ${unknown} is in the lock and in the Dockerfile`, {
        name: unknown,
      });
    }
    const entries = new Map(this.#entries);
    for (const entry of this.before.entries) {
      const key = `${entry.kind} ${entry.name}`;
      const others = keep === true ? entry.usedBy : entry.usedBy.filter((file) => !this.#dockerfiles.has(file));
      const now = entries.get(key);
      if (now !== undefined) entries.set(key, { ...now, usedBy: [...new Set([...now.usedBy, ...others])] });
      else if (others.length > 0) entries.set(key, { ...entry, usedBy: others });
    }
    return { entries: [...entries.values()], hasBuiltinSyntax: this.hasBuiltinSyntax };
  }
}

function onlyHere(reference: string, cause: SlipwayError): SlipwayError {
  const name = familiarName(parseReference(reference));
  return new SlipwayError(
    "failed_precondition",
    "LOCK_LOCAL_IMAGE",
    `${name} is an image of this machine only: no registry has it, so nobody else could build on it`,
    { reference, remedy: `slipway push ${name}, or build it as a stage` },
    cause,
  );
}
