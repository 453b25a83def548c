/**
 * Cases as text, so that a Dockerfile stands in them as it is. A file of cases:
 *
 *     == name-of-the-case
 *     args: --target two --build-arg "A=x y"     words of the command line, as a shell splits them
 *     env: A=1                                   variables of the command's environment
 *     folder: NAME                               a folder of test/applications; sections add to its files or replace them
 *     run: --rm -e A=1 IMAGE sh -c "exit 3"      run when the image is built; any number
 *     differs: reason                            ours is another answer than Docker's, on purpose
 *     context: sub/                              what follows the case's directory in the context's path
 *     -- Dockerfile
 *     FROM base
 *     COPY a /b
 *     -- a/script 0755 5:6 @1000000000
 *     echo content, up to the next line that begins a section
 *     -- link -> target
 *
 * A section's header is a path (in double quotes with JSON's escapes plus \xHH when it has blanks or odd bytes), then in any
 * order: a mode, uid:gid, @mtime in seconds, `nonl` (no line end after the last line), `latin1` (a character is a byte),
 * `size=N` (that many bytes), and its kind: `-> target`, `= path` (hard link), `fifo`, `socket`, `dir`, `tar|tgz|tbz|txz|tzst`
 * (its lines are the archive's members, in the same notation, content after ` :: `; see write-tar.ts for more). A path ending
 * in / is a directory.
 * Paths that begin with @ are no context: `@before NAME` is a Dockerfile that is built first under that name, `@http/PATH`
 * a file of a web server whose address stands for HTTP_HOST in Dockerfiles, with `status=N`, `modified=SECONDS`, `location=URL`,
 * `disposition=NAME`; `@http/NAME.git git` is a repository there (see git-repository.ts).
 */

export interface FileSpec {
  /** one byte per character */
  readonly path: string;
  readonly kind: "file" | "directory" | "symlink" | "hardlink" | "fifo" | "socket" | "tar" | "git";
  readonly target: string;
  readonly compression: "none" | "gzip" | "bzip2" | "xz" | "zstd";
  readonly mode: number | undefined;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
  readonly content: Buffer;
  /** `key=value` words of the header */
  readonly attributes: Readonly<Record<string, string>>;
}

export interface ConformanceCase {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** why ours is another answer than Docker's, on purpose; "" when it is to be the same */
  readonly differs: string;
  readonly context: readonly FileSpec[];
  /** of test/applications; the context's files lie over its own */
  readonly folder: string | undefined;
  /** words after `run`, IMAGE standing for the image */
  readonly runs: readonly (readonly string[])[];
  /** below the directory that they are written to, with whatever slash the case writes */
  readonly contextPath: string;
  /** built first, in this order: name → Dockerfile */
  readonly before: readonly { readonly tag: string; readonly dockerfile: string }[];
  readonly http: readonly FileSpec[];
}

/** Context files carry this time unless a case says otherwise: a time that no step of a build can have. */
export const contextMtime = 1_000_000_000;

/** Throws an Error that names the line: case files are the project's own. */
export function parseCases(text: string, file: string): readonly ConformanceCase[] {
  const blocks = text.split(/^(?=== )/m).filter((block) => block.startsWith("== "));
  return blocks.map((block) => {
    try {
      return parseCase(block);
    } catch (error) {
      throw new Error(`${file}: ${block.split("\n", 1)[0]}: ${String(error)}`, { cause: error });
    }
  });
}

function parseCase(block: string): ConformanceCase {
  const [head = "", ...sections] = block.replace(/\n*$/, "\n").split(/^(?=-- )/m);
  const name = /^== (\S+)$/m.exec(head)?.[1];
  if (name === undefined) throw new Error("a case's first line is '== name', without blanks");
  const specs = sections.map(parseSection);
  const before = specs.filter(({ path }) => path.startsWith("@before"));
  const isHttp = ({ path }: FileSpec): boolean => path === "@http" || path.startsWith("@http/");
  return {
    name,
    args: headerWords(head, "args").flatMap(splitWords),
    env: Object.fromEntries(headerWords(head, "env").map((line) => [line.split("=", 1)[0] ?? "", line.slice(line.indexOf("=") + 1)])),
    differs: headerWords(head, "differs").join(" "),
    context: specs.filter((spec) => !spec.path.startsWith("@")),
    folder: headerWords(head, "folder")[0],
    runs: headerWords(head, "run").map(splitWords),
    contextPath: headerWords(head, "context")[0] ?? "",
    before: before.map(({ attributes, content }) => ({ tag: attributes["tag"] ?? "", dockerfile: content.toString("latin1") })),
    http: specs.filter(isHttp).map((spec) => ({ ...spec, path: spec.path.slice("@http/".length) })),
  };
}

function headerWords(head: string, key: string): readonly string[] {
  return head
    .split("\n")
    .filter((line) => line.startsWith(`${key}: `))
    .map((line) => line.slice(key.length + 2).trim());
}

/** Blanks separate, quotes of either kind keep them. */
export function splitWords(text: string): readonly string[] {
  const words = text.match(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g) ?? [];
  return words.map((word) => word.replace(/"([^"]*)"|'([^']*)'/g, (_, double?: string, single?: string) => double ?? single ?? ""));
}

function parseSection(section: string): FileSpec {
  const end = section.indexOf("\n");
  const header = section.slice(3, end);
  const body = section.slice(end + 1);
  return parseSpec(header, Buffer.from(body, "utf8"));
}

const kinds: Readonly<Record<string, Partial<Pick<FileSpec, "kind" | "compression">>>> = {
  fifo: { kind: "fifo" },
  socket: { kind: "socket" },
  git: { kind: "git" },
  dir: { kind: "directory" },
  tar: { kind: "tar" },
  tgz: { kind: "tar", compression: "gzip" },
  tbz: { kind: "tar", compression: "bzip2" },
  txz: { kind: "tar", compression: "xz" },
  tzst: { kind: "tar", compression: "zstd" },
};

/** One header with its content; also a line of a tar section. */
export function parseSpec(header: string, body: Buffer): FileSpec {
  const [path, rest] = takeName(header);
  const linked = /^(?:(.*?) )?(->|=) (.+)$/.exec(` ${rest}`.trimStart());
  const words = (linked ? (linked[1] ?? "") : rest).split(" ").filter((word) => word !== "");
  const attributes: Record<string, string> = {};
  let spec: FileSpec = {
    path: path.replace(/\/$/, ""),
    kind: path.endsWith("/") ? "directory" : "file",
    target: linked ? takeName(linked[3] ?? "")[0] : "",
    compression: "none",
    mode: undefined,
    uid: 0,
    gid: 0,
    mtime: contextMtime,
    content: body,
    attributes,
  };
  if (linked) spec = { ...spec, kind: linked[2] === "->" ? "symlink" : "hardlink" };
  if (path === "@before") attributes["tag"] = words.shift() ?? "";
  for (const word of words) {
    const owner = /^(\d+):(\d+)$/.exec(word);
    const attribute = /^([a-z][\w.]*)=(.*)$/.exec(word);
    if (/^0?[0-7]{3,4}$/.test(word)) spec = { ...spec, mode: Number.parseInt(word, 8) };
    else if (owner) spec = { ...spec, uid: Number(owner[1]), gid: Number(owner[2]) };
    else if (/^@-?\d+$/.test(word)) spec = { ...spec, mtime: Number(word.slice(1)) };
    else if (word === "nonl") spec = { ...spec, content: spec.content.subarray(0, -1) };
    else if (word === "latin1") spec = { ...spec, content: Buffer.from(spec.content.toString("utf8"), "latin1") };
    else if (attribute) attributes[attribute[1] ?? ""] = attribute[2] ?? "";
    else if (kinds[word]) spec = { ...spec, ...kinds[word] };
    else throw new Error(`unknown word ${word} in '-- ${header}'`);
  }
  const size = attributes["size"];
  return size === undefined ? spec : { ...spec, content: Buffer.alloc(Number(size), "0123456789abcdef") };
}

/** A leading name, quoted or up to a blank, as bytes, and what follows it. */
function takeName(text: string): readonly [name: string, rest: string] {
  const quoted = /^"((?:[^"\\]|\\.)*)"\s*(.*)$/.exec(text);
  if (!quoted) {
    const [name = "", ...rest] = text.split(" ");
    return [Buffer.from(name).toString("latin1"), rest.join(" ")];
  }
  return [unescapeBytes(Buffer.from(quoted[1] ?? "").toString("latin1")), quoted[2] ?? ""];
}

/** Replaces `\xHH`, `\n`, `\t` and `\` before any other character, in text of one byte per character. */
export function unescapeBytes(text: string): string {
  return text.replace(/\\x([0-9a-f]{2})|\\(.)/gi, (_, hex?: string, escaped?: string) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    return escaped === "n" ? "\n" : escaped === "t" ? "\t" : (escaped ?? "");
  });
}
