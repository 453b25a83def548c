import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { ProgressEvent } from "../../base/progress.ts";
import type { BuildWarning, CallOptions, CheckResult, OutlineResult, TargetsResult, Task } from "../../engine/api.ts";
import { runInMemory, type Outcome } from "../memory-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "slipway-cli-call-"));
after(() => rmSync(folder, { recursive: true }));
mkdirSync(join(folder, "sub"));

function taskOf<Result>(result: Result, events: readonly ProgressEvent[] = []): Task<Result> {
  return {
    result: Promise.resolve(result),
    async *[Symbol.asyncIterator]() {
      yield* events;
    },
  };
}

const source = { fileName: "Dockerfile", text: Buffer.from("FROM scratch AS Foo\nRUNN x\n") };
const casing: BuildWarning = {
  rule: "StageNameCasing",
  isOwn: false,
  message: "Stage name 'Foo' should be lowercase",
  description: "Stage names should be lowercase",
  url: "https://docs.docker.com/go/dockerfile/rule/stage-name-casing/",
  line: 1,
  lines: { start: 1, end: 1 },
  excerpt: "Dockerfile:1\n--------------------\n   1 | >>> FROM scratch AS Foo\n   2 |     RUNN x\n   3 |     \n--------------------",
};
const json: BuildWarning = {
  rule: "JSONArgsRecommended",
  isOwn: false,
  message: "JSON arguments recommended for CMD",
  description: "JSON & more",
  url: "",
  line: 3,
  lines: { start: 3, end: 4 },
  excerpt: "",
};
const own: BuildWarning = { ...json, rule: "AptListsInLayer", isOwn: true, url: "docs/rules/apt-lists-in-layer.md", message: "apt-get update leaves lists" };
const suggestion = "\nSlipway adds 1 suggestion:\n\nWARNING: AptListsInLayer - docs/rules/apt-lists-in-layer.md\napt-get update leaves lists\n";
const unknown = {
  message: "dockerfile parse error on line 2: unknown instruction: RUNN (did you mean RUN?)",
  lines: { start: 2, end: 2 },
  excerpt: "Dockerfile:2\n--------------------\n   1 |     FROM scratch AS Foo\n   2 | >>> RUNN x\n   3 |     \n--------------------",
  also: [],
};

async function check(words: readonly string[], result: Partial<CheckResult>): Promise<Outcome> {
  return await runInMemory(["build", ...words, "."], {
    engine: { check: () => taskOf({ warnings: [], error: undefined, source, ...result }) },
    cwd: folder,
  });
}

const heading = "WARNING: StageNameCasing - https://docs.docker.com/go/dockerfile/rule/stage-name-casing/\nStage name 'Foo' should be lowercase\n";
const found = `Check complete, 1 warning has been found!\n\n${heading}${casing.excerpt}\n`;

describe("--call=check prints what Docker prints", () => {
  const cases: { name: string; words: readonly string[]; result: Partial<CheckResult>; outcome: Outcome }[] = [
    { name: "nothing", words: ["--check"], result: {}, outcome: { code: 0, stdout: "Check complete, no warnings found.\n", stderr: "" } },
    { name: "a finding", words: ["--check"], result: { warnings: [casing] }, outcome: { code: 1, stdout: found, stderr: "" } },
    { name: "Docker's former name", words: ["--call=lint"], result: { warnings: [casing] }, outcome: { code: 1, stdout: found, stderr: "" } },
    {
      name: "a finding that shall not count",
      words: ["--call=check,ignorestatus=true"],
      result: { warnings: [casing] },
      outcome: { code: 0, stdout: found, stderr: "" },
    },
    { name: "an empty line first with -q", words: ["-q", "--check"], result: { warnings: [casing] }, outcome: { code: 1, stdout: `\n${found}`, stderr: "" } },
    {
      name: "the findings in the file's order",
      words: ["--check"],
      result: { warnings: [json, casing] },
      outcome: {
        code: 1,
        stdout: `Check complete, 2 warnings have been found!\n\n${heading}${casing.excerpt}\n\nWARNING: JSONArgsRecommended\nJSON arguments recommended for CMD\n`,
        stderr: "",
      },
    },
    {
      name: "suggestions of our own apart, without effect on the exit code",
      words: ["--check"],
      result: { warnings: [own] },
      outcome: { code: 0, stdout: `Check complete, no warnings found.\n${suggestion}`, stderr: "" },
    },
    {
      name: "suggestions of our own behind the findings",
      words: ["--check"],
      result: { warnings: [own, casing] },
      outcome: { code: 1, stdout: `${found}${suggestion}`, stderr: "" },
    },
    {
      name: "a finding and an error",
      words: ["--check"],
      result: { warnings: [casing], error: unknown },
      outcome: { code: 1, stdout: `${found}\n`, stderr: `ERROR: ${unknown.message}\n${unknown.excerpt}\n\n` },
    },
    {
      name: "an error and what else is wrong",
      words: ["--check"],
      result: { error: { ...unknown, also: [{ message: "unknown flag: --form", excerpt: "Dockerfile:5\n---" }] } },
      outcome: {
        code: 1,
        stdout: "",
        stderr: `ERROR: ${unknown.message}\n${unknown.excerpt}\n\nalso: unknown flag: --form\nDockerfile:5\n---\n\n`,
      },
    },
    {
      name: "an error without place, whatever shall not count",
      words: ["--call=check,ignorestatus=true"],
      result: { error: { message: "lint violation found for rules: UndefinedVar", lines: undefined, excerpt: "", also: [] } },
      outcome: { code: 1, stdout: "", stderr: "ERROR: lint violation found for rules: UndefinedVar\n\n" },
    },
  ];
  for (const { name, words, result, outcome } of cases) test(name, async () => assert.deepEqual(await check(words, result), outcome));

  test("as JSON: a range for each line, HTML characters escaped", async () => {
    const outcome = await check(["--call=check,format=json"], { warnings: [json], error: unknown });
    const range = (line: number) => ({ start: { line }, end: { line } });
    assert.equal(outcome.code, 1);
    assert.match(outcome.stdout, /^\{\n {2}"warnings": \[\n {4}\{\n {6}"ruleName": "JSONArgsRecommended",\n {6}"description": "JSON \\u0026 more",\n/);
    assert.deepEqual(JSON.parse(outcome.stdout), {
      warnings: [
        {
          ruleName: "JSONArgsRecommended",
          description: "JSON & more",
          detail: "JSON arguments recommended for CMD",
          location: { ranges: [range(3), range(4)] },
        },
      ],
      sources: [{ filename: "Dockerfile", data: source.text.toString("base64"), language: "Dockerfile" }],
      buildError: { message: unknown.message, location: { ranges: [range(2)] } },
    });
    assert.match((await check(["--call=check,format=json"], {})).stdout, /"warnings": null/);
  });

  const names = [
    { words: ["--check", "."], shown: "Dockerfile" },
    { words: ["--check", "sub"], shown: "sub/Dockerfile" },
    { words: ["--check", "-f", "sub/../x.Dockerfile", "sub"], shown: "sub/../x.Dockerfile" },
    { words: ["--check", "-f", "-", "sub"], shown: "stdin" },
    { words: ["--check", "-"], shown: "-/Dockerfile" },
    { words: ["--check", "https://example.com/x.git"], shown: undefined },
  ];
  for (const { words, shown } of names) {
    test(`${words.join(" ")} shows the Dockerfile as ${shown ?? "the engine calls it"}`, async () => {
      const seen: CallOptions[] = [];
      const engine = {
        check: (options: CallOptions) => {
          seen.push(options);
          return taskOf<CheckResult>({ warnings: [], error: undefined, source });
        },
      };
      await runInMemory(["build", ...words], { engine, cwd: folder });
      assert.deepEqual(
        seen.map(({ shownAs }) => shownAs),
        [shown],
      );
    });
  }
});

const lines = { start: 3, end: 3 };
const outline: OutlineResult = {
  name: "second",
  description: "the second stage",
  args: [
    { name: "SECRET_KEY", description: "", value: undefined, lines },
    { name: "DIR", description: "where to", value: "/x", lines },
  ],
  secrets: [{ name: "x", required: true, lines }],
  ssh: [
    { name: "default", required: false, lines },
    { name: "foo", required: true, lines },
  ],
  source,
};
const nothing: OutlineResult = { name: "", description: "", args: [], secrets: [], ssh: [], source };
const targets: TargetsResult = {
  targets: [
    { name: "foo", description: "", isDefault: false, base: "${BASE}", platform: "linux/amd64", lines },
    { name: "", description: "", isDefault: false, base: "x", platform: undefined, lines },
    { name: "second", description: "the second stage", isDefault: true, base: "scratch", platform: undefined, lines },
  ],
  source,
};
const location = { ranges: [{ start: { line: 3 }, end: { line: 3 } }] };
const sources = [source.text.toString("base64")];

describe("the other calls print what Docker prints", () => {
  const engine = { outline: () => taskOf(outline), targets: () => taskOf(targets) };
  const texts = [
    {
      call: "outline",
      engine,
      text: "TARGET:      second\nDESCRIPTION: the second stage\n\nBUILD ARG    VALUE   DESCRIPTION\nSECRET_KEY           \nDIR          /x      where to\n\nSECRET   REQUIRED\nx        true\n\nSSH       REQUIRED\ndefault   \nfoo       true\n\n",
    },
    { call: "outline", engine: { outline: () => taskOf(nothing) }, text: "" },
    { call: "targets", engine, text: "TARGET           DESCRIPTION\nfoo              \n                 \nsecond (default) the second stage\n" },
    {
      call: "targets",
      engine: { targets: () => taskOf({ ...targets, targets: targets.targets.slice(1, 2).map((stage) => ({ ...stage, isDefault: true })) }) },
      text: "TARGET    DESCRIPTION\n(default) \n",
    },
    {
      call: "subrequests.describe",
      engine: {},
      text: "NAME                 VERSION DESCRIPTION\noutline              1.0.0   List all parameters current build target supports\ntargets              1.0.0   List all targets current build supports\nsubrequests.describe 1.0.0   List available subrequest types\n",
    },
  ];
  for (const [index, { call, engine: given, text }] of texts.entries()) {
    test(`${index + 1}: ${call}`, async () => {
      assert.deepEqual(await runInMemory(["build", `--call=${call}`, "."], { engine: given, cwd: folder }), { code: 0, stdout: text, stderr: "" });
    });
  }

  const documents = [
    {
      call: "outline",
      document: {
        name: "second",
        description: "the second stage",
        args: [
          { name: "SECRET_KEY", location },
          { name: "DIR", description: "where to", value: "/x", location },
        ],
        secrets: [{ name: "x", required: true, location }],
        ssh: [
          { name: "default", location },
          { name: "foo", required: true, location },
        ],
        sources,
      },
    },
    {
      call: "targets",
      document: {
        targets: [
          { name: "foo", base: "${BASE}", platform: "linux/amd64", location },
          { base: "x", location },
          { name: "second", default: true, description: "the second stage", base: "scratch", location },
        ],
        sources,
      },
    },
  ];
  for (const { call, document } of documents) {
    test(`${call} as JSON`, async () => {
      const { code, stdout } = await runInMemory(["build", `--call=${call},format=json`, "."], { engine, cwd: folder });
      assert.deepEqual([code, stdout], [0, `${JSON.stringify(document, null, 2)}\n`]);
    });
  }
});

describe("a call that cannot be read", () => {
  const refused = [
    { call: "check,foo=bar", stderr: "ERROR: invalid print field: foo=bar\n" },
    { call: "check,outline", stderr: "ERROR: invalid print value: check,outline\n" },
    { call: "check,ignorestatus=foo", stderr: 'ERROR: invalid ignorestatus print value: foo: strconv.ParseBool: parsing "foo": invalid syntax\n' },
    { call: "nope", stderr: /^ERROR: failed to build: failed to solve: unsupported request frontend\.nope: unsupported request frontend\.nope\n/ },
  ];
  for (const { call, stderr } of refused) {
    test(call, async () => {
      const outcome = await runInMemory(["build", `--call=${call}`, "."], { cwd: folder });
      assert.equal(outcome.code, 1);
      assert.match(outcome.stderr, typeof stderr === "string" ? new RegExp(`^${RegExp.escape(stderr)}$`) : stderr);
    });
  }
});
