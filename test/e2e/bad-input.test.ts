/**
 * What is wrong with the input, told in Docker's words: one line a case, with the exit code. Where a Dockerfile is at
 * fault the excerpt marks the line.
 */
import assert from "node:assert/strict";
import { chmodSync } from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { createSandbox, isRoot, type Files } from "./sandbox.ts";

const sandbox = await createSandbox();
after(() => sandbox[Symbol.asyncDispose]());

interface Case {
  readonly name: string;
  readonly dockerfile: string | Uint8Array;
  readonly files?: Files;
  readonly flags?: readonly string[];
  readonly want: RegExp;
  /** the line that the excerpt marks with >>> */
  readonly line?: number;
}

const cases: readonly Case[] = [
  {
    name: "not a Dockerfile",
    dockerfile: Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 1, 2, 0xff, 0xfe, 10, 0, 13]),
    want: /ERROR: failed to build: failed to solve: /,
  },
  { name: "empty", dockerfile: "", want: /the Dockerfile cannot be empty/ },
  {
    name: "another file, which is not there: no step failed",
    dockerfile: "FROM busybox\n",
    flags: ["-f", "nosuch"],
    want: /^#1 DONE [\d.]+s\n(?:\n)?ERROR: failed to build: failed to solve: failed to read dockerfile: open nosuch: no such file or directory\n/m,
  },
  { name: "only comments", dockerfile: "# a\n# b\n", want: /file with no instructions/ },
  {
    name: "unknown instruction",
    dockerfile: "FROM busybox\nRUM echo hi\n",
    want: /dockerfile parse error on line 2: unknown instruction: RUM \(did you mean RUN\?\)/,
    line: 2,
  },
  {
    name: "unknown flag",
    dockerfile: "FROM busybox\nCOPY --form=x a /\n",
    want: /dockerfile parse error on line 2: unknown flag: --form \(did you mean from\?\)/,
    line: 2,
  },
  { name: "no FROM", dockerfile: "RUN true\nFROM busybox\n", want: /no build stage in current context/, line: 1 },
  { name: "FROM without a name", dockerfile: "FROM\n", want: /dockerfile parse error on line 1: FROM requires either one or three arguments/, line: 1 },
  { name: "FROM an empty variable", dockerfile: "FROM $X\n", want: /base name \(\$X\) should not be blank/, line: 1 },
  {
    name: "COPY with one word",
    dockerfile: "FROM busybox\nCOPY a\n",
    want: /dockerfile parse error on line 2: COPY requires at least two arguments, but only one was provided\. Destination could not be determined/,
    line: 2,
  },
  { name: "ENV with one word", dockerfile: "FROM busybox\nENV A\n", want: /ENV must have two arguments/, line: 2 },
  { name: "EXPOSE of no port", dockerfile: "FROM busybox\nEXPOSE foo\n", want: /invalid containerPort: foo/, line: 2 },
  { name: "missing source", dockerfile: "FROM busybox\nCOPY nothere /x\n", want: /"\/nothere": not found/, line: 2 },
  { name: "source out of the context", dockerfile: "FROM busybox\nCOPY ../x /\n", want: /"\/x": not found/, line: 2 },
  {
    name: "missing source in a stage",
    dockerfile: "FROM busybox AS a\nFROM busybox\nCOPY --from=a /nothere /x\n",
    want: /lstat \/nothere: no such file or directory|"\/nothere": not found/,
    line: 3,
  },
  { name: "missing stage", dockerfile: "FROM busybox\nCOPY --from=nostage /a /b\n", want: /failed to solve: nostage: /, line: 2 },
  { name: "stage by a number too high", dockerfile: "FROM busybox\nCOPY --from=7 /a /b\n", want: /invalid stage index 7/ },
  {
    name: "cyclic stages",
    dockerfile: "FROM busybox AS x\nCOPY --from=y a /\nFROM busybox AS y\nCOPY --from=x a /\n",
    want: /circular dependency detected on stage: x/,
  },
  {
    name: "base not found",
    dockerfile: "FROM no.such.invalid/base:1\nRUN true\n",
    want: /failed to solve: no\.such\.invalid\/base:1: failed to resolve source metadata for no\.such\.invalid\/base:1: /,
    line: 1,
  },
  {
    name: "base with a bad name",
    dockerfile: "FROM Upper/Case\n",
    want: /failed to parse stage name "Upper\/Case": invalid reference format: repository name \(library\/Upper\/Case\) must be lowercase|must be lowercase/,
    line: 1,
  },
  {
    name: "command not found",
    dockerfile: "FROM busybox\nRUN nosuchcmd --x\n",
    want: /nosuchcmd: not found[\s\S]*process "\/bin\/sh -c nosuchcmd --x" did not complete successfully: exit code: 127/,
    line: 2,
  },
  {
    name: "command not found, exec form",
    dockerfile: 'FROM busybox\nRUN ["nosuch"]\n',
    want: /process "nosuch" did not complete successfully: exit code: \d+/,
    line: 2,
  },
  {
    name: "a failing command shows its output and its code",
    dockerfile: "FROM busybox\nRUN echo one; echo two >&2; exit 3\n",
    want: / one\n[\s\S]* two\n[\s\S]*did not complete successfully: exit code: 3/,
    line: 2,
  },
  {
    name: "no such user",
    dockerfile: "FROM busybox\nUSER ghost\nRUN true\n",
    want: /unable to find user ghost: (no matching entries in passwd file|invalid argument)/,
    line: 3,
  },
  { name: "no such target", dockerfile: "FROM busybox\n", flags: ["--target", "nope"], want: /target stage "nope" could not be found/ },
  { name: "a heredoc without end", dockerfile: "FROM busybox\nRUN <<EOF\necho hi\n", want: /unterminated heredoc/, line: 2 },
  { name: "a bad mount type", dockerfile: "FROM busybox\nRUN --mount=type=wrong true\n", want: /unsupported mount type "wrong"/, line: 2 },
  { name: "a folder over a file", dockerfile: "FROM busybox\nRUN touch /f\nCOPY d /f\n", files: { "d/x": "" }, want: /cannot copy to non-directory/, line: 3 },
  { name: "a forbidden network", dockerfile: "FROM busybox\nRUN --network=host true\n", want: /network\.host is not allowed/ },
  { name: "an unknown network", dockerfile: "FROM busybox\n", flags: ["--network", "bogus"], want: /network mode "bogus" not supported/ },
  {
    name: "a bad tag",
    dockerfile: "FROM busybox\n",
    flags: ["-t", "UPPER"],
    want: /ERROR: failed to build: invalid tag "UPPER": repository name must be lowercase/,
  },
  {
    name: "a bad platform",
    dockerfile: "FROM busybox\n",
    flags: ["--platform", "no/such/thing/x"],
    want: /"no\/such\/thing\/x": invalid platform|invalid argument|unknown/,
  },
  {
    name: "no such Dockerfile",
    dockerfile: "FROM busybox\n",
    flags: ["-f", "nofile"],
    want: /failed to read dockerfile: open nofile: no such file or directory/,
  },
  {
    name: "no such secret file",
    dockerfile: "FROM busybox\n",
    flags: ["--secret", "id=x,src=/no/such/file"],
    want: /failed to stat \/no\/such\/file: stat \/no\/such\/file: no such file or directory/,
  },
];
for (const { name, dockerfile, files, flags, want, line } of cases) {
  test(`refuses: ${name}`, async () => {
    const context = sandbox.folder({ Dockerfile: dockerfile, ...files });
    const outcome = await sandbox.call(["build", "--progress=plain", ...(flags ?? []), "."], { cwd: context });
    assert.equal(outcome.code, 1, outcome.stderr);
    assert.match(outcome.stderr, want);
    assert.match(outcome.stderr, /^ERROR: /m);
    assert.doesNotMatch(outcome.stderr, /^ +at .*\.ts:\d+/m, "a stack trace reached the user");
    if (line !== undefined) assert.match(outcome.stderr, new RegExp(`^Dockerfile:\\d+\\n-{20}\\n(.*\\n)*? +${line} \\| >>> `, "m"));
  });
}

interface Call {
  readonly name: string;
  readonly args: readonly string[];
  readonly code: number;
  readonly want: RegExp;
}

const calls: readonly Call[] = [
  { name: "no context", args: ["build"], code: 1, want: /requires 1 argument/ },
  { name: "two contexts", args: ["build", ".", "."], code: 1, want: /requires 1 argument/ },
  {
    name: "a missing context",
    args: ["build", "/no/such/folder"],
    code: 1,
    want: /ERROR: failed to build: unable to prepare context: path "\/no\/such\/folder" not found/,
  },
  { name: "a file as context", args: ["build", "/etc/passwd"], code: 1, want: /unable to prepare context|not a directory/ },
  { name: "an unknown flag", args: ["build", "--nope", "."], code: 125, want: /unknown flag: --nope/ },
  { name: "an unknown command", args: ["frobnicate"], code: 1, want: /unknown command: (docker|slipway) frobnicate|'frobnicate' is not a/ },
  { name: "a run without image", args: ["run"], code: 1, want: /requires at least 1 argument/ },
  {
    name: "a run of an image out of reach",
    args: ["run", "--rm", "no.such.invalid/x"],
    code: 125,
    want: /Unable to find image 'no\.such\.invalid\/x:latest' locally/,
  },
  { name: "a run of a bad name", args: ["run", "--rm", "Bad"], code: 125, want: /repository name (\(library\/Bad\) )?must be lowercase/ },
  {
    name: "a run with a bad port",
    args: ["run", "-p", "eighty", "busybox"],
    code: 125,
    want: /docker: invalid containerPort: eighty|slipway: invalid containerPort: eighty/,
  },
  { name: "a run of a missing command", args: ["run", "--rm", "busybox", "nosuch"], code: 127, want: /exec: "nosuch": executable file not found in \$PATH/ },
  { name: "a run of a folder", args: ["run", "--rm", "busybox", "/etc"], code: 126, want: /"\/etc".*(is a directory|permission denied)/ },
  { name: "exec in nothing", args: ["exec", "nothing", "x"], code: 1, want: /No such container: nothing/ },
  {
    name: "tag to a bad name",
    args: ["tag", "busybox", "App:1"],
    code: 1,
    want: /"App:1" is not a valid repository\/tag: invalid reference format: repository name \(library\/App\) must be lowercase/,
  },
  { name: "inspect of nothing", args: ["inspect", "nothing"], code: 1, want: /No such object: nothing/ },
  { name: "logs of nothing", args: ["logs", "nothing"], code: 1, want: /No such container: nothing/ },
  { name: "stop of nothing", args: ["stop", "nothing"], code: 1, want: /No such container: nothing/ },
  { name: "a bad template", args: ["inspect", "-f", "{{.Id", "busybox"], code: 64, want: /template parsing error/ },
  { name: "a bad filter", args: ["images", "--filter", "nope=1"], code: 1, want: /invalid filter/ },
  { name: "load of a missing file", args: ["load", "-i", "/no/such/file"], code: 1, want: /open \/no\/such\/file: no such file or directory/ },
  { name: "import of a missing file", args: ["import", "/no/such/file"], code: 1, want: /open \/no\/such\/file: no such file or directory/ },
];
for (const { name, args, code, want } of calls) {
  test(`refuses the call: ${name}`, async () => {
    const outcome = await sandbox.call(args);
    assert.match(outcome.stderr, want);
    assert.equal(outcome.code, code, outcome.stderr);
  });
}

test("an unreadable context names the file", { skip: isRoot && "root reads everything" }, async () => {
  const context = sandbox.folder({ Dockerfile: "FROM busybox\nCOPY . /", locked: "x" });
  chmodSync(path.join(context, "locked"), 0);
  const outcome = await sandbox.call(["build", context]);
  assert.equal(outcome.code, 1);
  assert.match(outcome.stderr, /permission denied/);
  assert.match(outcome.stderr, /locked/);
});
