/** `bake --print`, against what buildx prints of the same files. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { runInMemory, type Outcome } from "../memory-cli.ts";

const testdata = join(import.meta.dirname, "testdata");
const directory = mkdtempSync(join(tmpdir(), "slipway-bake-test-"));
after(() => rmSync(directory, { recursive: true }));

const bake = (words: readonly string[], env: Readonly<Record<string, string>> = {}, cwd = testdata): Promise<Outcome> =>
  runInMemory(["buildx", "bake", ...words], { cwd, env });
const overrides = ["app.args.B=zz", "*.platform=linux/arm64", "app.tags=q:1", "app.output=type=docker", "app.labels.k=v", "app.cache-from+=r/e"];

test("all that a file has", async () => {
  assert.deepEqual(await bake(["--print"]), { code: 0, stdout: readFileSync(join(testdata, "all.txt"), "utf8"), stderr: "" });
});

test("what is printed can be read again: signs of templates are written twice; secrets are told by their source", async () => {
  assert.equal((await bake(["-f", "escaped.hcl", "--print"])).stdout, readFileSync(join(testdata, "escaped.txt"), "utf8"));
});

describe("compose files, as buildx reads them", () => {
  const compose = join(testdata, "compose");
  const expected = (name: string): string => readFileSync(join(compose, name), "utf8");
  test("services that are built are targets", async () => {
    assert.deepEqual(await bake(["--print"], {}, compose), { code: 0, stdout: expected("compose.txt"), stderr: "" });
  });
  test("a bake file's words count more", async () => {
    assert.equal((await bake(["-f", "beside.hcl", "-f", "compose.yaml", "--print"], {}, compose)).stdout, expected("beside.txt"));
  });
  for (const name of ["extends", "include"]) {
    test(`${name}: what other services and files say`, async () => {
      const composed = join(testdata, "composed");
      const { code, stdout, stderr } = await bake(["-f", `${name}.yaml`, "--print"], { N: "5", T: "t" }, composed);
      assert.deepEqual([code, stdout, stderr], [0, readFileSync(join(composed, `${name}.txt`), "utf8"), ""]);
    });
  }
  test("what is included must not be another thing of the same name", async () => {
    const cwd = mkdtempSync(join(directory, "included"));
    writeFileSync(join(cwd, "other.yaml"), "services: {a: {build: ./x}}");
    writeFileSync(join(cwd, "f.yaml"), "include: [other.yaml]\nservices: {a: {build: .}}");
    assert.match((await bake(["-f", "f.yaml", "--print"], {}, cwd)).stderr, /f\.yaml: services\.a conflicts with imported resource/);
  });
  test("the environment counts more than .env", async () => {
    const { stdout } = await bake(["--print", "anchored"], { V: "mine", E: "" }, compose);
    assert.match(stdout, /"reg\.example\/anchored:mine\$"/);
  });
  const table: readonly (readonly [text: string, stderr: string])[] = [
    ["services: {a: {build: .}}\ninclude: [other.yaml]", "open other.yaml: no such file or directory"],
    ["services: {a: {build: .}}\ninclude: [https://example.com/x.git]", "https://example.com/x.git is not read: only files of this machine are"],
    ["services: {a: {build: .}}\ninclude: [f.yaml]", "f.yaml: include cycle detected:\n  f.yaml\n  include f.yaml"],
    ["services: {a: {build: ., extends: {service: b}}}", 'cannot extend service "a" in f.yaml: service "b" not found'],
    ["services: {a: {build: ., extends: {file: none.yaml, service: b}}}", "open none.yaml: no such file or directory"],
    ["services: {a: {extends: b}, b: {extends: a}}", "Circular reference:\n  a in f.yaml\n  extends b in f.yaml\n  extends a in f.yaml"],
    ["services: {a: {build: {context: ., args: {X: '${NO:?is needed}'}}}}", "required variable NO is missing a value: is needed"],
    ["services: {a: {build: {context: ., secrets: [none]}}}", "secret none has neither a file nor a variable"],
    ["services: [", "f.yaml: "],
    ["services: {a: {image: x}}", "failed to find target default"],
  ];
  for (const [text, stderr] of table) {
    test(text, async () => {
      const cwd = mkdtempSync(join(directory, "compose"));
      writeFileSync(join(cwd, "f.yaml"), text);
      const outcome = await bake(["-f", "f.yaml", "--print"], {}, cwd);
      assert.equal(outcome.code, 1, outcome.stdout);
      assert.ok(outcome.stderr.includes(stderr), outcome.stderr);
    });
  }
});

describe("what --sbom and --provenance say of all targets", () => {
  const sbom = { type: "sbom" };
  const table: readonly (readonly [flags: readonly string[], want: readonly object[]])[] = [
    [[], [sbom, { mode: "max", type: "provenance" }]],
    [
      ["--sbom=false"],
      [
        { disabled: true, type: "sbom" },
        { mode: "max", type: "provenance" },
      ],
    ],
    [["--provenance=false"], [sbom, { disabled: true, type: "provenance" }]],
    [
      ["--provenance=mode=min", "--sbom=true"],
      [sbom, { mode: "min", type: "provenance" }],
    ],
    [
      ["--sbom=generator=x"],
      [
        { generator: "x", type: "sbom" },
        { mode: "max", type: "provenance" },
      ],
    ],
    [
      ["--set", "*.attest=type=sbom,disabled=true"],
      [
        { disabled: true, type: "sbom" },
        { mode: "max", type: "provenance" },
      ],
    ],
  ];
  const cwd = mkdtempSync(join(directory, "attest"));
  writeFileSync(join(cwd, "docker-bake.hcl"), 'target "default" {\n  attest = ["type=sbom", "type=provenance,mode=max"]\n}\n');
  for (const [flags, want] of table) {
    test(flags.join(" "), async () => {
      const { stdout } = await bake(["--print", ...flags], {}, cwd);
      const { target } = JSON.parse(stdout) as { readonly target: { readonly default: { readonly attest: readonly object[] } } };
      assert.deepEqual(target.default.attest, want);
    });
  }
});

test("one target, with values of the environment and of --set", async () => {
  const { stdout } = await bake(["--print", "app", ...overrides.flatMap((word) => ["--set", word])], { TAG: "v1", COUNT: "7" });
  assert.equal(stdout, readFileSync(join(testdata, "overridden.txt"), "utf8"));
});

test("targets and variables are listed", async () => {
  const lines = ({ stdout }: Outcome): readonly string[] => stdout.split("\n").map((line) => line.trimEnd().replace(/ {2,}/g, "|"));
  assert.deepEqual(lines(await bake(["--list", "variables"])).slice(0, 3), ["VARIABLE|TYPE|VALUE|DESCRIPTION", "COUNT|2", "DEBUG|false"]);
  assert.deepEqual(lines(await bake(["--list", "targets"])).slice(0, 4), ["TARGET|DESCRIPTION", "app|the app", "base", "default|app, multi"]);
});

interface Printed {
  readonly target: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

describe("what a file means", () => {
  const table: readonly {
    readonly name: string;
    readonly files: Readonly<Record<string, string>>;
    readonly words?: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
    readonly want: object;
  }[] = [
    {
      name: "JSON, whose texts are templates",
      files: { "docker-bake.json": '{"variable":{"Y":{"default":"z"}},"target":{"default":{"args":{"X":"${Y}-${upper(Y)}"}}}}' },
      want: { args: { X: "z-Z" } },
    },
    {
      name: "an override file beside it",
      files: {
        "docker-bake.hcl": 'target "default" {\n  tags = ["a"]\n  args = { A = 1, B = 2 }\n}\n',
        "docker-bake.override.hcl": 'target "default" {\n  tags = ["b"]\n  args = { B = 3 }\n}\n',
      },
      want: { tags: ["b"], args: { A: "1", B: "3" } },
    },
    {
      name: "what is inherited, from left to right",
      files: {
        "docker-bake.hcl":
          'target "x" {\n  target = "x"\n  cache-from = ["a"]\n}\ntarget "y" {\n  target = "y"\n  cache-from = ["b"]\n}\ntarget "default" {\n  inherits = ["x", "y"]\n}\n',
      },
      want: { target: "y", "cache-from": [{ ref: "a", type: "registry" }, { ref: "b", type: "registry" }] }, // prettier-ignore
    },
    {
      name: "variables that stand on others, and types",
      files: {
        "docker-bake.hcl":
          'base = "b"\nvariable "A" { default = "${base}-${B}" }\nvariable "B" { default = 1 }\nvariable "L" {\n  type = list(string)\n  default = []\n}\ntarget "default" { args = { A = A, L = join("+", L), N = B + 1 } }\n',
      },
      env: { B: "4", L: "x,y" },
      want: { args: { A: "b-4", L: "x+y", N: "5" } },
    },
    { name: "--push", files: { "docker-bake.hcl": 'target "default" {}\n' }, words: ["--push"], want: { output: [{ type: "registry" }] } },
    {
      name: "--push of an image output",
      files: { "docker-bake.hcl": 'target "default" { output = ["type=image,compression=zstd"] }\n' },
      words: ["--push"],
      want: { output: [{ compression: "zstd", type: "image", push: "true" }] },
    },
    {
      name: "a value of the environment for an argument",
      files: { "docker-bake.hcl": 'target "default" {}\n' },
      words: ["--set", "*.args.HOME"],
      env: { HOME: "/h" },
      want: { args: { HOME: "/h" } },
    },
  ];
  for (const [at, { name, files, words = [], env = {}, want }] of table.entries()) {
    test(name, async () => {
      const cwd = mkdtempSync(join(directory, String(at)));
      for (const [file, text] of Object.entries(files)) writeFileSync(join(cwd, file), text);
      const { stdout, stderr } = await bake(["--print", ...words], env, cwd);
      assert.equal(stderr, "");
      assert.deepEqual((JSON.parse(stdout) as Printed).target["default"], { context: ".", dockerfile: "Dockerfile", ...want });
    });
  }
});

describe("refused", () => {
  const table: readonly (readonly [text: string, words: readonly string[], stderr: RegExp])[] = [
    ['target "a" {}\n', ["nope"], /^ERROR: failed to find target nope\n$/],
    ['target "a" {}\n', ["--set", "foo.tags=x", "a"], /^ERROR: could not find any target matching 'foo'\n$/],
    ['target "a" {}\n', ["--set", "foo.bar=x", "a"], /^ERROR: could not find any target matching 'foo'\n$/],
    ['target "a" {}\n', ["--set", "a.bar=x", "a"], /^ERROR: unknown key: bar\n$/],
    ['target "a" {}\n', ["--set", "foo", "a"], /^ERROR: invalid override key foo, expected target.name\n$/],
    [
      'target "a" {\n  args = { X = nope }\n}\n',
      ["a"],
      /^f\.hcl:2\n-{20}\n.*>>>   args = \{ X = nope \}.*ERROR: f\.hcl:2,16-20: Unknown variable; There is no variable named "nope"\.\n$/s,
    ],
    ['target "a" { inherits = ["b"] }\ntarget "b" { inherits = ["a"] }\n', ["a"], /^ERROR: infinite loop from a\n$/],
    ['variable "A" { default = B }\nvariable "B" { default = A }\n', ["a"], /^ERROR: variable cycle not allowed for A\n$/],
    [
      'variable "A" {\n  default = "x"\n  validation {\n    condition = A == "y"\n    error_message = "A must be y"\n  }\n}\n',
      ["a"],
      /Validation failed; A must be y/,
    ],
    ['target "a" { nonsense = 1 }\n', ["a"], /Unsupported argument; An argument named "nonsense" is not expected here\./],
  ];
  for (const [at, [text, words, stderr]] of table.entries()) {
    test(`${at}: ${words.join(" ")}`, async () => {
      const cwd = mkdtempSync(join(directory, "refused"));
      writeFileSync(join(cwd, "f.hcl"), text);
      const outcome = await bake(["-f", "f.hcl", "--print", ...words], {}, cwd);
      assert.equal(outcome.code, 1);
      assert.match(outcome.stderr, stderr);
    });
  }
  test("no file", async () => {
    assert.equal((await bake([], {}, mkdtempSync(join(directory, "none")))).stderr, "ERROR: couldn't find a bake definition\n");
  });
});
