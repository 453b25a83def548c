/**
 * What a long piece of work tells while it runs; the same stream feeds the terminal renderer, plain lines, JSON and the
 * library's AsyncIterable. Modelled on BuildKit's SolveStatus: a vertex is one line of the display, identified by `id`.
 */
export interface VertexEvent {
  readonly type: "vertex";
  /** stable during one build; a digest or another unique word */
  readonly id: string;
  /** as displayed: "[build 2/5] RUN make", "[internal] load build definition from Dockerfile" */
  readonly name: string;
  readonly inputs: readonly string[];
  /** milliseconds since the epoch */
  readonly startedMs?: number;
  readonly completedMs?: number;
  readonly cached?: boolean;
  /** why this vertex could not be taken from the cache, one line */
  readonly reason?: string;
  readonly error?: string;
}

export interface LogEvent {
  readonly type: "log";
  readonly vertex: string;
  /** 1 stdout, 2 stderr */
  readonly stream: 1 | 2;
  readonly data: Uint8Array;
  readonly timestampMs: number;
}

/** A counter below a vertex: bytes transferred, layers exported. Without `total` it only counts. */
export interface StatusEvent {
  readonly type: "status";
  readonly vertex: string;
  /** unique within the vertex; displayed: "transferring context", "sha256:… 12.5MB / 30MB", "exporting layers" */
  readonly id: string;
  readonly current: number;
  readonly total?: number;
  /** what `current` counts; bytes when absent */
  readonly unit?: "bytes" | "files";
  readonly startedMs?: number;
  readonly completedMs?: number;
  readonly timestampMs: number;
}

export interface WarningEvent {
  readonly type: "warning";
  readonly vertex: string;
  /** one line: "StageNameCasing: Stage name 'Foo' should be lowercase (line 3)" */
  readonly message: string;
  readonly detail: readonly string[];
  readonly url: string;
  /** one of our rules, which Docker does not have */
  readonly isOwn?: boolean;
  /** the lines that it speaks of, marked */
  readonly excerpt?: string;
  readonly file?: string;
  readonly lines?: { readonly start: number; readonly end: number };
}

export type ProgressEvent = VertexEvent | LogEvent | StatusEvent | WarningEvent;
export type ProgressSink = (event: ProgressEvent) => void;
