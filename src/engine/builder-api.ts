/** The library's calls about builders by name: each is this machine's one builder. */
export interface BuilderSummary {
  readonly name: string;
  readonly node: string;
  /** when it was made; 0 of the default one */
  readonly usedMs: number;
  readonly current: boolean;
}

export interface BuilderApi {
  /** In the order of names, the default one last. */
  list(): readonly BuilderSummary[];
  /** Without a name the current one. Fails with NO_SUCH_BUILDER (not_found), in buildx's words. */
  inspect(name?: string): BuilderSummary;
  /** Answers the name, one of our own where none is given. Fails with BUILDER_REFUSED (invalid_argument), in buildx's words. */
  create(options: { readonly name?: string; readonly node?: string; readonly use?: boolean; readonly append?: boolean }): string;
  use(name: string): void;
  /** Answers the name. */
  remove(name?: string): string;
}
