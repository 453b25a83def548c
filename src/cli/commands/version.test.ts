import assert from "node:assert/strict";
import { test } from "node:test";
import { runInMemory } from "../memory-cli.ts";

const templates: readonly (readonly [template: string, want: RegExp])[] = [
  ["{{.Client.Version}} {{.Server.Version}}", /^\d+\.\d+\.\d+ \d+\.\d+\.\d+$/],
  ["{{.Client.APIVersion}} {{.Client.DefaultAPIVersion}} {{.Server.APIVersion}} {{.Server.ApiVersion}}", /^1\.51 1\.51 1\.51 1\.51$/],
  ["{{.Server.Os}}/{{.Server.Experimental}}/{{.Server.GitCommit}}/{{.Client.BuildTime}}", /^linux\/false\/\/$/],
  ["{{range .Server.Components}}{{.Name}}{{end}}", /^Engine$/],
  ["{{.Server.KernelVersion}}", /^\d/],
];

for (const [template, want] of templates) {
  test(template, async () => {
    const { code, stdout } = await runInMemory(["version", "--format", template]);
    assert.equal(code, 0);
    assert.match(stdout.trimEnd(), want);
  });
}

test("a field that there is not", async () => {
  const { code, stderr } = await runInMemory(["version", "-f", "{{.Server.Nope}}"]);
  assert.deepEqual([code, stderr], [1, 'template: version:1:9: executing "version" at <.Server.Nope>: can\'t evaluate field Nope in type *types.Version\n']);
});

test("the text names the parts as Docker's does", async () => {
  const { stdout } = await runInMemory(["version"]);
  assert.match(stdout, /^Client:\n Version: {11}\d[^]*\n API version: {7}1\.51\n[^]*\n Context: {11}default\n\nServer: .*\n Engine:\n {2}Version: {10}\d/);
});
