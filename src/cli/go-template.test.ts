import assert from "node:assert/strict";
import { test } from "node:test";
import { compileTemplate } from "./go-template.ts";
import { GoStruct } from "./go-value.ts";
import type { GoValue } from "./go-value.ts";

/** What `docker inspect` saw when the expected texts below were recorded from Docker 28.5.2. */
const config = new GoStruct("container.Config", {
  User: "",
  Env: ["PATH=/bin", "A=1"],
  Cmd: ["/bin/sh", "-c", 'sh -c "echo a"'],
  Labels: { foo: "bar", a: "<b>&" },
  Healthcheck: null,
  Volumes: {},
  ExposedPorts: { "80/tcp": {} },
});
const image = new GoStruct("image.InspectResponse", {
  Id: "sha256:04058000c9ce",
  Os: "linux",
  Size: 1086443,
  RepoTags: ["cli-l:latest"],
  Config: config,
  RootFS: new GoStruct("image.RootFS", { Type: "layers", Layers: ["sha256:a0de", "sha256:b1"] }),
});

const filled: readonly (readonly [template: string, want: string])[] = [
  ["{{.Os}}", "linux"],
  ["{{.Config.Labels.foo}}", "bar"],
  ["{{.Config.Labels.fooo}}", "<no value>"],
  ["{{.Config.Labels}}", "map[a:<b>& foo:bar]"],
  ["{{json .Config.Labels}}", '{"foo":"bar","a":"<b>&"}'],
  ["{{.Config.ExposedPorts}}", "map[80/tcp:{}]"],
  ["{{.Config.Volumes}}", "map[]"],
  ["{{.Config.Healthcheck}}", "<nil>"],
  ["{{.RootFS}}", "{layers [sha256:a0de sha256:b1]}"],
  ["{{range .Config.Env}}{{.}}{{println}}{{end}}", "PATH=/bin\nA=1\n"],
  ["{{range $i, $e := .Config.Env}}{{if $i}},{{end}}{{$e}}{{else}}none{{end}}", "PATH=/bin,A=1"],
  ["{{range $k, $v := .RootFS.Layers}}{{$k}}={{$v}} {{end}}", "0=sha256:a0de 1=sha256:b1 "],
  ["{{range .Config.Volumes}}x{{else}}none{{end}}", "none"],
  ["{{range 3}}x{{end}}", "xxx"],
  ["{{range .RepoTags}}a{{break}}{{end}}", "a"],
  ["{{range $i, $e := .Config.Env}}{{if eq $i 0}}{{continue}}{{end}}{{$e}}{{end}}", "A=1"],
  ["{{index .RepoTags 0}}", "cli-l:latest"],
  ['{{index .Config.Labels "foo"}}{{index .Config.Labels "zz"}}x', "barx"],
  ["{{(index .RootFS.Layers 0)}}", "sha256:a0de"],
  ['{{join .Config.Cmd ","}}', '/bin/sh,-c,sh -c "echo a"'],
  ["{{.Config.Cmd | json}}", '["/bin/sh","-c","sh -c \\"echo a\\""]'],
  ["{{if .Config.Volumes}}y{{else if .Os}}z{{else}}n{{end}}", "z"],
  ["{{len .RepoTags}}", "1"],
  ['{{eq .Os "linux"}} {{ne .Os "linux"}} {{lt .Size 100}}', "true false false"],
  ['{{eq .Os "a" "linux"}}', "true"],
  ["{{if gt .Size 1000}}big{{end}}", "big"],
  ["{{with .Config}}{{.Env}}{{end}}", "[PATH=/bin A=1]"],
  ["{{with .Config.Volumes}}a{{else}}b{{end}}", "b"],
  ['{{- "x" -}}  y', "xy"],
  ["{{ .Os  -}}  x", "linuxx"],
  ["a {{/* c */}} b", "a  b"],
  ["a {{- /* c */ -}} b", "ab"],
  [
    '{{upper .Os}} {{title .Os}} {{lower "AA"}} {{pad .Os 2 3}}| {{truncate .Id 10}} {{split .Id ":"}}',
    "LINUX Linux aa   linux   | sha256:040 [sha256 04058000c9ce]",
  ],
  ['{{title "abc def"}}{{pad "" 1 2}}|', "Abc Def|"],
  ['{{printf "%.3s %v %q" .Id .RepoTags .Os}}', 'sha [cli-l:latest] "linux"'],
  ['{{printf "%-10s|%5d|%x|%t|%T" "ab" 42 255 true 1}}', "ab        |   42|ff|true|int"],
  ['{{printf "%d" "a"}} {{printf "%s" 1}} {{printf "%d"}} {{printf "x" 1}}', "%!d(string=a) %!s(int=1) %!d(MISSING) x%!(EXTRA int=1)"],
  ['{{print 1 2 "a" "b" 3}}', "1 2ab3"],
  ['{{println 1 "a"}}', "1 a\n"],
  ['{{html "<a>"}} {{urlquery "a b"}}', "&lt;a&gt; a+b"],
  ['{{not true}} {{and 1 0}} {{or 0 "x"}}{{and 1 "" 3}}', "false 0 x"],
  ["{{$x := 5}}{{$x}}{{$x = 6}}{{$x}}", "56"],
  ["{{if true}}{{$.Os}}{{end}}", "linux"],
  ["{{slice .Id 0 9}}", "sha256:04"],
  ["{{.Id | len}}", "19"],
  ['{{define "x"}}y{{.}}{{end}}{{template "x" .Os}}', "ylinux"],
  ["{{\"\\t\"}}|{{`a\\t`}}|{{'a'}}|{{0x10}}|{{1.5}}", "\t|a\\t|97|16|1.5"],
];

for (const [template, want] of filled) {
  test(`template ${template}`, () => assert.equal(compileTemplate(template).fill(image), want));
}

const refused: readonly (readonly [template: string, want: string])[] = [
  ["{{", "unclosed action"],
  ["{{.Id", "unclosed action"],
  ["{{foo}}", 'function "foo" not defined'],
  ["{{.Os | foo}}", 'function "foo" not defined'],
  ["{{end}}", "unexpected {{end}}"],
  ["{{else}}", "unexpected {{else}}"],
  ["{{range .}}", "unexpected EOF"],
  ["{{if}}", "missing value for if"],
  ['{{"a', "unterminated quoted string"],
  ["{{.Os}", "bad character U+007D '}'"],
  ["{{$x}}", 'undefined variable "$x"'],
  ["{{.Os.}}", "unexpected <.> in operand"],
  ["{{|}}", 'unexpected "|" in command'],
];

for (const [template, want] of refused) {
  test(`no template: ${template}`, () => {
    assert.throws(() => compileTemplate(template), { code: "TEMPLATE", message: `template parsing error: template: :1: ${want}` });
  });
}

const failing: readonly (readonly [template: string, data: GoValue, want: string])[] = [
  ["{{.Foo}}", image, '2: executing "" at <.Foo>: can\'t evaluate field Foo in type image.InspectResponse'],
  ["{{.Config.Foo}}", image, '9: executing "" at <.Config.Foo>: can\'t evaluate field Foo in type container.Config'],
  ["{{index .RepoTags 5}}", image, '2: executing "" at <index .RepoTags 5>: error calling index: index out of range: 5'],
  ["{{eq .Os 1}}", image, '2: executing "" at <eq .Os 1>: error calling eq: incompatible types for comparison: string and int'],
  ["{{join .RepoTags}}", image, '2: executing "" at <join>: wrong number of args for join: want 2 got 1'],
  ["{{len 3}}", image, '2: executing "" at <len 3>: error calling len: len of type int'],
  ["{{1 2}}", image, '2: executing "" at <1>: can\'t give argument to non-function 1'],
  ["{{nil}}", image, '2: executing "" at <nil>: nil is not a command'],
  ["{{index}}", image, '2: executing "" at <index>: wrong number of args for index: want at least 1 got 0'],
];

for (const [template, data, want] of failing) {
  test(`template fails: ${template}`, () => {
    assert.throws(() => compileTemplate(template).fill(data), { code: "TEMPLATE", message: `template parsing error: template: :1:${want}` });
  });
}

const raw: readonly (readonly [template: string, want: string])[] = [
  ["{{.Foo}}", '2: executing "" at <.Foo>: map has no entry for key "Foo"'],
  ["{{.Config.Foo}}", '9: executing "" at <.Config.Foo>: map has no entry for key "Foo"'],
  ["{{.Foo.Bar}} x", '6: executing "" at <.Foo.Bar>: map has no entry for key "Foo"'],
  ["{{.Size.x}}", '7: executing "" at <.Size.x>: can\'t evaluate field x in type interface {}'],
];

for (const [template, want] of raw) {
  test(`template on a map that must have the key: ${template}`, () => {
    const data = { Size: 3, Config: { User: "" } };
    assert.throws(() => compileTemplate(template).fill(data, { missingKey: "error" }), { message: `template parsing error: template: :1:${want}` });
  });
}

test("control structures may span lines, and an error names its line", () => {
  assert.throws(() => compileTemplate("{{if true}}\n{{.Foo}}{{end}}").fill(image), { message: /template: :2:2: executing/ });
});
