import assert from "node:assert/strict";
import { test } from "node:test";
import { runInMemory, type Outcome } from "../memory-cli.ts";

const engine = { system: { info: async () => ({ DockerRootDir: "/s" }) } };
const gone = 'context "nope": context not found: there is no daemon, and one context, default\n';
const host = '{"docker":{"Host":"slipway:///s","SkipTLSVerify":false}}';

const cases: readonly (readonly [words: string, stdout: string, stderr?: string, code?: number])[] = [
  ["context show", "default\n"],
  ["context ls -q", "default\n"],
  [
    "context ls",
    "NAME        DESCRIPTION                                     DOCKER ENDPOINT   ERROR\ndefault *   The store of this machine: there is no daemon   slipway:///s      \n",
  ],
  [
    "context list --format json",
    '{"Current":true,"Description":"The store of this machine: there is no daemon","DockerEndpoint":"slipway:///s","Error":"","Name":"default"}\n',
  ],
  ["context ls --format {{.Name}}:{{.Current}}", "default:true\n"],
  [
    "context ls --format {{.Nope}}",
    "",
    'template parsing error: template: :1:2: executing "" at <.Nope>: can\'t evaluate field Nope in type *formatter.clientContextContext\n',
    1,
  ],
  ["context use default", "default\n", 'Current context is now "default"\n'],
  ["context use nope", "", gone, 1],
  ["context inspect --format {{.Name}}:{{.Endpoints.docker.Host}}:{{.Storage.TLSPath}}", "default:slipway:///s:<IN MEMORY>\n"],
  ["context inspect default nope --format {{.Name}}", "default\n", gone, 1],
  ["context inspect nope", "[]\n", gone, 1],
  [
    "context inspect -f {{.Nope}}",
    "",
    'template parsing error: template: :1:2: executing "" at <.Nope>: can\'t evaluate field Nope in type context.contextWithTLSListing\n',
    1,
  ],
];
for (const [words, stdout, stderr = "", code = 0] of cases) {
  test(words, async () => {
    const outcome: Outcome = await runInMemory(words.split(" "), { engine });
    assert.deepEqual(outcome, { code, stdout, stderr });
  });
}

test("context inspect", async () => {
  const { stdout } = await runInMemory(["context", "inspect"], { engine });
  const [found] = JSON.parse(stdout) as readonly [Readonly<Record<string, unknown>>];
  assert.deepEqual([Object.keys(found), JSON.stringify(found["Endpoints"])], [["Name", "Metadata", "Endpoints", "TLSMaterial", "Storage"], host]);
});
