/**
 * The typed instructions of a Dockerfile, as parsed: words are not expanded yet (word.ts does that with the
 * stage's variables), paths are not resolved, heredocs carry their bodies.
 * @see https://docs.docker.com/reference/dockerfile/
 */

/** Lines are 1-based and inclusive. */
export interface LineRange {
  readonly start: number;
  readonly end: number;
}

export interface Heredoc {
  /** the delimiter, without quotes */
  readonly name: string;
  /** body with its final newline; for `<<-` leading tabs are already gone ("chomp") */
  readonly content: string;
  /** body as written, leading tabs included: what a shell gets to see again */
  readonly raw: string;
  /** false when the delimiter was quoted: the body is taken as it is */
  readonly expand: boolean;
  readonly chomp: boolean;
  /** the file descriptor before `<<`, 0 when none */
  readonly fd: number;
}

interface Base {
  /** as written in the file, e.g. `RUN` or `run` */
  readonly keyword: string;
  /** the instruction as one logical line, continuations joined, as BuildKit prints it in progress and history */
  readonly code: string;
  /** physical lines, heredoc bodies included */
  readonly lines: LineRange;
  /** comments directly above, without `#`, used for descriptions of ARG and stages */
  readonly comments: readonly string[];
}

/** `form: "shell"`: one string for the shell. `form: "exec"`: the JSON array. */
export interface CommandLine {
  readonly form: "shell" | "exec";
  readonly args: readonly string[];
  readonly heredocs: readonly Heredoc[];
}

export interface KeyValue {
  readonly key: string;
  readonly value: string;
  /** legacy `ENV key value` form: not followed by further pairs */
  readonly legacy: boolean;
}

export interface FromInstruction extends Base {
  readonly type: "from";
  /** unexpanded */
  readonly image: string;
  readonly platform: string | undefined;
  /** lower-cased stage name */
  readonly as: string | undefined;
}

export interface ArgInstruction extends Base {
  readonly type: "arg";
  readonly args: readonly { readonly key: string; readonly value: string | undefined }[];
}

export interface EnvInstruction extends Base {
  readonly type: "env";
  readonly pairs: readonly KeyValue[];
}

export interface LabelInstruction extends Base {
  readonly type: "label";
  readonly pairs: readonly KeyValue[];
}

/** One `--mount=` of RUN. Values are unexpanded where BuildKit expands them (target, source, from, id …). */
export interface RunMount {
  readonly type: "bind" | "cache" | "tmpfs" | "secret" | "ssh";
  readonly from: string | undefined;
  readonly source: string | undefined;
  readonly target: string | undefined;
  readonly readonly: boolean;
  readonly id: string | undefined;
  readonly sharing: "shared" | "private" | "locked" | undefined;
  readonly required: boolean;
  /** tmpfs size in bytes */
  readonly sizeBytes: number | undefined;
  /** octal in the text, a number here */
  readonly mode: number | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  /** secret exposed as an environment variable of this name */
  readonly env: string | undefined;
}

export interface RunInstruction extends Base {
  readonly type: "run";
  readonly command: CommandLine;
  /** the raw `--mount=` values, in order: parseRunMount() makes RunMount of one after word expansion */
  readonly mounts: readonly string[];
  readonly network: string | undefined;
  readonly security: string | undefined;
  readonly devices: readonly string[];
}

interface SourcesAndDestination {
  /** unexpanded; without heredocs */
  readonly sources: readonly string[];
  readonly heredocs: readonly Heredoc[];
  readonly destination: string;
  readonly chown: string | undefined;
  readonly chmod: string | undefined;
  readonly link: boolean;
  readonly exclude: readonly string[];
  readonly parents: boolean;
}

export interface CopyInstruction extends Base, SourcesAndDestination {
  readonly type: "copy";
  readonly from: string | undefined;
}

export interface AddInstruction extends Base, SourcesAndDestination {
  readonly type: "add";
  readonly keepGitDir: boolean | undefined;
  readonly checksum: string | undefined;
  readonly unpack: boolean | undefined;
}

export interface WorkdirInstruction extends Base {
  readonly type: "workdir";
  readonly path: string;
}

export interface UserInstruction extends Base {
  readonly type: "user";
  readonly user: string;
}

export interface ExposeInstruction extends Base {
  readonly type: "expose";
  readonly ports: readonly string[];
}

export interface VolumeInstruction extends Base {
  readonly type: "volume";
  readonly paths: readonly string[];
}

export interface CmdInstruction extends Base {
  readonly type: "cmd";
  readonly command: CommandLine;
}

export interface EntrypointInstruction extends Base {
  readonly type: "entrypoint";
  readonly command: CommandLine;
}

export interface HealthcheckInstruction extends Base {
  readonly type: "healthcheck";
  /** "none", or the command with its options as written (durations as nanoseconds) */
  readonly check:
    | { readonly none: true }
    | {
        readonly none: false;
        readonly command: CommandLine;
        readonly intervalNs: number | undefined;
        readonly timeoutNs: number | undefined;
        readonly startPeriodNs: number | undefined;
        readonly startIntervalNs: number | undefined;
        readonly retries: number | undefined;
      };
}

export interface ShellInstruction extends Base {
  readonly type: "shell";
  readonly shell: readonly string[];
}

export interface StopsignalInstruction extends Base {
  readonly type: "stopsignal";
  readonly signal: string;
}

export interface OnbuildInstruction extends Base {
  readonly type: "onbuild";
  /** the trigger's text, as stored in the image config */
  readonly expression: string;
}

export interface MaintainerInstruction extends Base {
  readonly type: "maintainer";
  readonly maintainer: string;
}

export type Instruction =
  | ArgInstruction
  | EnvInstruction
  | LabelInstruction
  | RunInstruction
  | CopyInstruction
  | AddInstruction
  | WorkdirInstruction
  | UserInstruction
  | ExposeInstruction
  | VolumeInstruction
  | CmdInstruction
  | EntrypointInstruction
  | HealthcheckInstruction
  | ShellInstruction
  | StopsignalInstruction
  | OnbuildInstruction
  | MaintainerInstruction;

export interface Stage {
  readonly from: FromInstruction;
  readonly index: number;
  /** lower-cased `AS` name, or undefined */
  readonly name: string | undefined;
  readonly instructions: readonly Instruction[];
}

export interface Directives {
  readonly syntax: string | undefined;
  readonly escape: "\\" | "`";
  /** `# check=skip=A,B;error=true;experimental=C` */
  readonly check: CheckDirective | undefined;
}

export type RuleSelection = readonly string[] | "all";

export interface CheckDirective {
  readonly skip: RuleSelection;
  readonly error: boolean;
  /** rules that are off by default and wanted */
  readonly experimental: RuleSelection;
}

export interface Warning {
  /** BuildKit's rule name, e.g. "StageNameCasing", or one of own-rules.ts */
  readonly rule: string;
  /** BuildKit's wording, e.g. "Stage name 'Foo' should be lowercase" */
  readonly message: string;
  readonly description: string;
  readonly url: string;
  readonly lines: LineRange | undefined;
}

export interface Dockerfile {
  readonly directives: Directives;
  /** ARGs before the first FROM */
  readonly metaArgs: readonly ArgInstruction[];
  readonly stages: readonly Stage[];
  readonly warnings: readonly Warning[];
  /** the text that was parsed, for excerpts */
  readonly text: string;
}
