/** `build --frozen`: every remote name means what the lock says, and a name that the lock lacks ends the build before its first step. */
import { SlipwayError } from "../../base/errors.ts";
import type { LineRange } from "../../dockerfile/instruction.ts";
import type { ImageNeed } from "../../graph/lowering.ts";
import type { GitOp, HttpOp } from "../../graph/op.ts";
import type { Digest } from "../../oci/digest.ts";
import { formatReference, parseReference, withDigest } from "../../oci/reference.ts";
import type { BuildOptions } from "../api.ts";
import type { ParsedBuild } from "../build/lint.ts";
import type { LoweredPlatform } from "../build/lower-build.ts";
import type { OpenedContext } from "../build/open-context.ts";
import type { SourcePins } from "../build/remote-inputs.ts";
import { findEntry, type Lock, type LockKind } from "./lock-file.ts";
import { lockPath, readLock } from "./lock-place.ts";
import { nameOfSource, remoteSources, syntaxImage, type RemoteSource } from "./remote-names.ts";

const words: Readonly<Record<LockKind, string>> = { image: "image", file: "file", repository: "repository" };
const remedy = "slipway lock adds what a Dockerfile names (with the build's --build-arg, --sbom and -f), slipway lock --update takes what is there now";

export class FrozenBuild implements SourcePins {
  readonly #lock: Lock;
  readonly #path: string;
  readonly #lines = new Map<string, LineRange | undefined>();

  /** Fails with LOCK_NOT_FOUND and LOCK_INVALID; with LOCK_MISSING where the lock lacks what `# syntax=` names. */
  constructor({ dockerfile, lockFile }: BuildOptions, { directory, dockerfileText }: OpenedContext, parsed: ParsedBuild) {
    this.#path = lockPath({ directory, dockerfile: dockerfileText === undefined ? dockerfile : undefined, lockFile });
    const lock = readLock(this.#path);
    if (lock === undefined) {
      throw new SlipwayError("failed_precondition", "LOCK_NOT_FOUND", `--frozen: there is no ${this.#path}`, {
        path: this.#path,
        remedy: "slipway lock writes it",
      });
    }
    this.#lock = lock;
    const syntax = syntaxImage(parsed.source.text);
    if (syntax !== undefined && !lock.hasBuiltinSyntax) this.#value("image", syntax.name, syntax.lines);
  }

  readonly image = async ({ reference, place }: ImageNeed): Promise<string> => {
    const named = parseReference(reference);
    // what no line names has the line 0
    const lines = place.start === 0 ? undefined : place;
    return named.digest === undefined ? formatReference(withDigest(named, this.#value("image", reference, lines) as Digest)) : reference;
  };

  /** Before anything is fetched. Fails with LOCK_MISSING. */
  check(platforms: readonly LoweredPlatform[]): void {
    for (const { kind, name, lines } of remoteSources(platforms.flatMap(({ lowered }) => lowered.root ?? []))) {
      this.#lines.set(name, lines);
      this.#value(kind, name, lines);
    }
  }

  readonly checksum = (op: HttpOp): string => this.#pinOf("file", op);

  readonly commit = (op: GitOp): string => this.#pinOf("repository", op);

  readonly differs = (op: GitOp | HttpOp, failure: SlipwayError): SlipwayError => {
    const name = nameOfSource(op) ?? op.url;
    const kind = op.type === "git" ? "repository" : "file";
    const pinned = findEntry(this.#lock, kind, name)?.value;
    const actual = failure.details["actual"];
    const found = typeof actual === "string" ? actual : "something else";
    return new SlipwayError(
      "failed_precondition",
      "LOCK_MISMATCH",
      `--frozen: ${name} is not what ${this.#path} says: want ${pinned ?? ""}, got ${found}`,
      { name, expected: pinned, actual, lines: this.#lines.get(name), remedy },
      failure,
    );
  };

  #pinOf(kind: RemoteSource["kind"], op: GitOp | HttpOp): string {
    const name = nameOfSource(op);
    return name === undefined ? "" : this.#value(kind, name, this.#lines.get(name));
  }

  #value(kind: LockKind, name: string, lines: LineRange | undefined): string {
    const entry = findEntry(this.#lock, kind, name);
    if (entry !== undefined) return entry.value;
    const where = lines === undefined ? "" : ` (line ${lines.start})`;
    throw new SlipwayError("failed_precondition", "LOCK_MISSING", `--frozen: ${this.#path} does not have the ${words[kind]} ${name}${where}`, {
      name,
      path: this.#path,
      lines,
      remedy,
    });
  }
}
