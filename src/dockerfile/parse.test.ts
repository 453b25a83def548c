import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fc } from "../base/test-chance.ts";
import { isSlipwayError, SlipwayError } from "../base/errors.ts";
import { formatExcerpt } from "./excerpt.ts";
import type { Instruction, LineRange } from "./instruction.ts";
import { parseDockerfile, parseTrigger } from "./parse.ts";

interface RecordedError {
  readonly name: string;
  readonly dockerfile: string;
  readonly message: string;
  readonly excerpt?: string;
}

const recorded = JSON.parse(readFileSync(new URL("testdata/parse-errors.json", import.meta.url), "utf8")) as RecordedError[];

function failureOf(text: string): SlipwayError {
  try {
    parseDockerfile(text, { fileName: "Dockerfile" });
  } catch (error) {
    if (error instanceof SlipwayError) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: "parsed without an error" });
}

describe("parseDockerfile's errors are Docker's", () => {
  for (const { name, dockerfile, message, excerpt } of recorded) {
    it(`${name}: ${message}`, () => {
      const { kind, code, message: actual, details } = failureOf(dockerfile);
      assert.deepEqual({ kind, code, message: actual }, { kind: "invalid_argument", code: "DOCKERFILE_PARSE", message });
      if (excerpt === undefined) return;
      const lines = details["lines"] as LineRange;
      assert.equal(formatExcerpt(dockerfile, lines, { fileName: "x" }), `x:${lines.start}\n${excerpt}`);
    });
  }

  const limits = [
    { name: "65535 bytes and a newline", text: `FROM scratch\nLABEL a=${"x".repeat(65_527)}\n`, allowed: true },
    { name: "65536 bytes and a newline", text: `FROM scratch\nLABEL a=${"x".repeat(65_528)}\n`, allowed: false },
    { name: "65535 bytes at the end", text: `FROM scratch\nLABEL a=${"x".repeat(65_527)}`, allowed: true },
    { name: "65536 bytes at the end", text: `FROM scratch\nLABEL a=${"x".repeat(65_528)}`, allowed: false },
    { name: "characters of several bytes", text: `FROM scratch\nLABEL a=${"é".repeat(32_764)}\n`, allowed: false },
  ];
  for (const { name, text, allowed } of limits) {
    it(`a line of ${name} is ${allowed ? "allowed" : "refused"}`, () => {
      const message = "dockerfile line greater than max allowed size of 65535";
      if (allowed) assert.equal(parseDockerfile(text).stages.length, 1);
      else assert.throws(() => parseDockerfile(text), { message });
    });
  }
});

function firstInstruction(text: string): Instruction | undefined {
  return parseDockerfile(`FROM scratch\n${text}`).stages[0]?.instructions[0];
}

describe("parseDockerfile", () => {
  const none = { chown: undefined, chmod: undefined, link: false, exclude: [], parents: false };
  const cases: { name: string; text: string; expected: Record<string, unknown> }[] = [
    { name: "RUN in shell form", text: "RUN echo  a\tb", expected: { command: { form: "shell", args: ["echo  a\tb"], heredocs: [] }, code: "RUN echo  a\tb" } },
    { name: "RUN in exec form", text: `run ["a", "b c"]`, expected: { keyword: "run", command: { form: "exec", args: ["a", "b c"], heredocs: [] } } },
    { name: "broken JSON is shell form", text: `CMD ["a",]`, expected: { command: { form: "shell", args: [`["a",]`], heredocs: [] } } },
    { name: "empty JSON", text: "CMD []", expected: { command: { form: "exec", args: [], heredocs: [] } } },
    { name: "no command", text: "RUN", expected: { command: { form: "shell", args: [], heredocs: [] } } },
    { name: "continuation, comment and blank line", text: "RUN a \\\n  # c\n\n  b\n", expected: { code: "RUN a   b", lines: { start: 2, end: 5 } } },
    {
      name: "RUN's flags",
      text: "RUN --mount=type=cache,target=/x --mount='type=bind' --network=none x",
      expected: { mounts: ["type=cache,target=/x", "type=bind"], network: "none", security: undefined, command: { form: "shell", args: ["x"], heredocs: [] } },
    },
    { name: "two dashes end the flags", text: "RUN --network=none -- --x", expected: { command: { form: "shell", args: ["--x"], heredocs: [] } } },
    {
      name: "ENV pairs",
      text: `ENV a=b "c d"=e f='g h' i=j\\ k`,
      expected: {
        pairs: [
          ["a", "b"],
          [`"c d"`, "e"],
          ["f", "'g h'"],
          ["i", "j\\ k"],
        ].map(([key, value]) => ({ key, value, legacy: false })),
      },
    },
    { name: "ENV in the old form", text: "ENV a  b=c  d ", expected: { pairs: [{ key: "a", value: "b=c  d", legacy: true }] } },
    {
      name: "ARG",
      text: "ARG a b= c=d",
      expected: {
        args: [
          { key: "a", value: undefined },
          { key: "b", value: "" },
          { key: "c", value: "d" },
        ],
      },
    },
    {
      name: "COPY",
      text: "COPY --from=x --chown=1:2 --link --exclude=a --exclude=b a b /c/",
      expected: { ...none, from: "x", chown: "1:2", link: true, exclude: ["a", "b"], sources: ["a", "b"], destination: "/c/", heredocs: [] },
    },
    { name: "COPY in JSON form", text: `COPY ["a b", "c"]`, expected: { ...none, sources: ["a b"], destination: "c" } },
    {
      name: "ADD's flags",
      text: "ADD --keep-git-dir=false --checksum=sha256:x --unpack a /b",
      expected: { keepGitDir: false, checksum: "sha256:x", unpack: true, sources: ["a"] },
    },
    { name: "EXPOSE is sorted", text: "EXPOSE 90 80 100/udp", expected: { ports: ["100/udp", "80", "90"] } },
    { name: "VOLUME in both forms", text: `VOLUME ["  c ", "d"]`, expected: { paths: ["c", "d"] } },
    {
      name: "HEALTHCHECK",
      text: "HEALTHCHECK --interval=1m30s --timeout=0s --retries=3 CMD curl x",
      expected: {
        check: {
          none: false,
          command: { form: "shell", args: ["curl x"], heredocs: [] },
          intervalNs: 90e9,
          timeoutNs: 0,
          startPeriodNs: undefined,
          startIntervalNs: undefined,
          retries: 3,
        },
      },
    },
    { name: "HEALTHCHECK NONE ignores flags", text: "HEALTHCHECK --foo=1 none", expected: { check: { none: true } } },
    { name: "SHELL", text: `SHELL ["a", "-c"]`, expected: { shell: ["a", "-c"] } },
    { name: "STOPSIGNAL ignores flags", text: "STOPSIGNAL --foo 9", expected: { signal: "9" } },
    { name: "USER keeps blanks", text: "USER a b", expected: { user: "a b" } },
    { name: "MAINTAINER keeps quotes", text: `MAINTAINER "me" <x@y>`, expected: { maintainer: `"me" <x@y>` } },
    { name: "ONBUILD", text: "ONBUILD  RUN a \\\n  b", expected: { expression: "RUN a   b" } },
    {
      name: "ONBUILD with a heredoc",
      text: "onbuild COPY <<-E /x\n\thi\n\tE\n",
      expected: { expression: "COPY <<-E /x\n\thi\nE", lines: { start: 2, end: 4 } },
    },
    { name: "an escaped escape does not continue", text: "LABEL a=b\\\\\nLABEL c=d", expected: { code: "LABEL a=b\\\\" } },
    { name: "comments above", text: "# one\n\n# two\nARG x", expected: { comments: ["one", "two"] } },
    { name: "an empty comment cuts", text: "# one\n#\n# two\nARG x", expected: { comments: ["two"] } },
  ];
  for (const { name, text, expected } of cases) {
    it(name, () => {
      const instruction = firstInstruction(text);
      assert.ok(instruction);
      const shown = Object.fromEntries(Object.keys(expected).map((key) => [key, (instruction as unknown as Record<string, unknown>)[key]]));
      assert.deepEqual(shown, expected);
    });
  }

  const heredocs = [
    { name: "one", text: "RUN <<EOF\na\nb\nEOF\n", expected: [{ name: "EOF", content: "a\nb\n", raw: "a\nb\n", expand: true, chomp: false, fd: 0 }] },
    {
      name: "tabs chomped",
      text: "RUN <<-EOF\n\t\ta\n\tb c\n\tEOF\n",
      expected: [{ name: "EOF", content: "a\nb c\n", raw: "\t\ta\n\tb c\n", expand: true, chomp: true, fd: 0 }],
    },
    { name: "quoted", text: `RUN cat 3<<"E F"\n$x\nE F\n`, expected: [{ name: "E F", content: "$x\n", raw: "$x\n", expand: false, chomp: false, fd: 3 }] },
    {
      name: "several",
      text: "COPY <<A <<'B' /x/\na\nA\nb\nB\n",
      expected: [
        { name: "A", content: "a\n", raw: "a\n", expand: true, chomp: false, fd: 0 },
        { name: "B", content: "b\n", raw: "b\n", expand: false, chomp: false, fd: 0 },
      ],
    },
    {
      name: "the last of one name counts",
      text: "COPY <<A <<A /x/\na\nA\nb\nA\n",
      expected: [1, 2].map(() => ({ name: "A", content: "b\n", raw: "b\n", expand: true, chomp: false, fd: 0 })),
    },
    { name: "none in JSON form", text: `RUN ["a", "<<E"]\n`, expected: [] },
    {
      name: "a name without body in COPY's JSON form",
      text: `COPY ["<<E", "/x"]\n`,
      expected: [{ name: "E", content: "", raw: "", expand: true, chomp: false, fd: 0 }],
    },
    {
      name: "CRLF stays in the body",
      text: "COPY <<E /x\r\nhi\r\nE\r\n",
      expected: [{ name: "E", content: "hi\r\n", raw: "hi\r\n", expand: true, chomp: false, fd: 0 }],
    },
  ];
  for (const { name, text, expected } of heredocs) {
    it(`heredocs: ${name}`, () => {
      const instruction = firstInstruction(text);
      assert.ok(instruction !== undefined && (instruction.type === "run" || instruction.type === "copy"));
      assert.deepEqual(instruction.type === "run" ? instruction.command.heredocs : instruction.heredocs, expected);
    });
  }

  const further: { name: string; text: string; message: string; also: readonly string[] }[] = [
    {
      name: "behind the first",
      text: "FROM a\nRUNN x\nCOPY --form=b c d\nEXPOSE\n",
      message: "dockerfile parse error on line 2: unknown instruction: RUNN (did you mean RUN?)",
      also: [
        "3 --form dockerfile parse error on line 3: unknown flag: --form (did you mean from?)",
        "4 undefined dockerfile parse error on line 4: EXPOSE requires at least one argument",
      ],
    },
    {
      name: "before one that cannot be split, which Docker finds first",
      text: "FROM a\nRUNN x\nENV a=b c\nUSER\n",
      message: 'Syntax error - can\'t find = in "c". Must be of the form: name=value',
      also: [
        "2 RUNN dockerfile parse error on line 2: unknown instruction: RUNN (did you mean RUN?)",
        "4 undefined dockerfile parse error on line 4: USER requires exactly one argument",
      ],
    },
  ];
  for (const { name, text, message, also } of further) {
    it(`collects the faults ${name}`, () => {
      assert.throws(
        () => parseDockerfile(text),
        (error) => {
          assert.ok(isSlipwayError(error, "DOCKERFILE_PARSE"));
          const others = error.details["also"] as { message: string; lines: { start: number }; culprit?: string }[];
          assert.deepEqual([error.message, others.map((other) => `${other.lines.start} ${other.culprit} ${other.message}`)], [message, also]);
          return true;
        },
      );
    });
  }

  it("reads directives, stages and ARGs before the first stage", () => {
    const text = "\ufeff# Syntax = a/b:1 x\n# check=skip=A,B;error=true\n# escape=`\nARG V=1\nFROM --platform=$P base:$V AS Build\nFROM build\n";
    const { directives, metaArgs, stages } = parseDockerfile(Buffer.from(text));
    assert.deepEqual(directives, { syntax: "a/b:1", escape: "`", check: { skip: ["A", "B"], error: true, experimental: [] } });
    assert.deepEqual(
      metaArgs.map(({ args }) => args),
      [[{ key: "V", value: "1" }]],
    );
    assert.deepEqual(
      stages.map(({ name, index, from }) => ({ name, index, image: from.image, platform: from.platform })),
      [
        { name: "build", index: 0, image: "base:$V", platform: "$P" },
        { name: undefined, index: 1, image: "build", platform: undefined },
      ],
    );
  });

  it("ends directives at the first other line", () => {
    assert.equal(parseDockerfile("\n# escape=`\nFROM scratch\n").directives.escape, "\\");
  });

  it("warns of a blank line inside a continuation", () => {
    const [warning] = parseDockerfile("FROM scratch\nLABEL a=b \\\n\n c=d\n").warnings;
    assert.deepEqual([warning?.rule, warning?.lines], ["NoEmptyContinuation", { start: 4, end: 4 }]);
  });

  const keyword = fc.constantFrom("FROM a", "RUN", "COPY", "ADD", "ENV", "ARG", "LABEL", "ONBUILD", "HEALTHCHECK", "CMD", "VOLUME", "x");
  const piece = fc.oneof(
    keyword,
    fc.constantFrom(" ", "\n", "\\\n", "#", "<<E", "E\n", "--a=b", "--from=", "[", `"a"`, "]", ",", "'", "\t", "\r\n", "`", "$x", "=", "é"),
  );
  it("fails with DOCKERFILE_PARSE or not at all", () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 25 }), (pieces) => {
        try {
          parseDockerfile(`FROM a\n${pieces.join("")}`);
        } catch (error) {
          assert.ok(isSlipwayError(error, "DOCKERFILE_PARSE"), String(error));
        }
      }),
    );
  });

  const hostile = [
    { name: "ONBUILD ONBUILD …", text: `FROM a\n${"ONBUILD ".repeat(8000)}` },
    { name: "many continuations", text: `FROM a\nRUN ${"x \\\n".repeat(50_000)}` },
    { name: "blanks in a directive", text: `# escape= x${" ".repeat(65_000)}y\nFROM a\n` },
    { name: "blanks inside a word list", text: `FROM a\nEXPOSE 1${" ".repeat(65_000)}2\n` },
    { name: "deep JSON", text: `FROM a\nCMD ${"[".repeat(60_000)}` },
    { name: "many heredocs", text: `FROM a\nRUN ${"<<a ".repeat(10_000)}\n${"a\n".repeat(10_000)}` },
  ];
  for (const { name, text } of hostile) {
    it(`is done quickly with ${name}`, () => {
      const started = process.cpuUsage();
      try {
        parseDockerfile(text);
      } catch (error) {
        assert.ok(isSlipwayError(error), String(error));
      }
      // the processor's time, not the clock's: the machine may have other work
      const { user, system } = process.cpuUsage(started);
      assert.ok(user + system < 2_000_000, `${user + system} µs`);
    });
  }
});

describe("parseTrigger", () => {
  it("reads one instruction", () => assert.equal(parseTrigger("COPY <<E /x\nhi\nE").type, "copy"));
  const refused = [
    { text: "RUN a\nRUN b", message: "onbuild trigger should be a single expression" },
    { text: "FOO x", message: "dockerfile parse error on line 1: unknown instruction: FOO (did you mean FROM?)" },
    { text: "FROM x", message: "FROM isn't allowed as an ONBUILD trigger" },
  ];
  for (const { text, message } of refused) it(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => parseTrigger(text), { message }));
});

it("another syntax than the file says", () => {
  const text = "# syntax=docker/dockerfile:1.4\nFROM scratch\nRUN --security=insecure x\n";
  assert.throws(() => parseDockerfile(text), /unknown flag: --security/);
  assert.equal(parseDockerfile(text, { syntax: "docker/dockerfile:1" }).stages.length, 1);
});

describe("RUN --security", () => {
  const rows: readonly (readonly [syntax: string, known: boolean])[] = [
    ["", false],
    ["# syntax=docker/dockerfile:1.19\n", false],
    ["# syntax=docker/dockerfile:1.4.2\n", false],
    ["# syntax=docker/dockerfile:1.20\n", true],
    ["# syntax=docker/dockerfile:1.7-labs\n", true],
    ["# syntax=docker/dockerfile:1\n", true],
  ];
  for (const [syntax, known] of rows) {
    it(`${known ? "of" : "not of"} ${syntax.trim() || "the frontend that Docker brings along"}`, () => {
      const parse = (): unknown => parseDockerfile(`${syntax}FROM scratch\nRUN --security=insecure x\n`).stages[0]?.instructions[0];
      if (!known) assert.throws(parse, { code: "DOCKERFILE_PARSE", message: /unknown flag: --security$/ });
      else assert.equal((parse() as { readonly security?: string }).security, "insecure");
    });
  }
});
