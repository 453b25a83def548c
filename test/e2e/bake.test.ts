/** Targets of a bake file, built: one stands on another, some come from a matrix. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { startRegistry } from "../../src/testing/index.ts";
import { createSandbox } from "./sandbox.ts";

const definition = `
variable "TAG" { default = "1" }
variable "REGISTRY" { default = "localhost" }
group "default" { targets = ["app", "each"] }
target "base" {
  dockerfile-inline = <<EOT
FROM busybox
RUN echo base >/base
EOT
}
target "app" {
  context = "sub"
  contexts = { base = "target:base" }
  args = { WHO = "app-\${TAG}" }
  tags = ["\${REGISTRY}/bake/app:\${TAG}"]
}
target "each" {
  name = "each-\${v}"
  matrix = { v = ["x", "y"] }
  inherits = ["app"]
  args = { WHO = v }
  tags = ["\${REGISTRY}/bake/each:\${v}"]
}
`;

test("a file's targets are built in order, and pushed", async () => {
  const sandbox = await createSandbox();
  const registry = await startRegistry();
  after(async () => {
    await registry[Symbol.asyncDispose]();
    await sandbox[Symbol.asyncDispose]();
  });
  const cwd = sandbox.folder({ "docker-bake.hcl": definition, "sub/Dockerfile": "FROM base\nARG WHO\nRUN echo $WHO >/who\nCOPY f /f\n", "sub/f": "file" });
  const metadata = `${sandbox.directory}/bake.json`;
  const env = { TAG: "7", REGISTRY: registry.host };
  const outcome = await sandbox.call(["buildx", "bake", "--progress=plain", "--push", "--metadata-file", metadata], { cwd, env });
  assert.equal(outcome.code, 0, outcome.stderr);
  const told = JSON.parse(readFileSync(metadata, "utf8")) as Readonly<Record<string, { readonly "image.name"?: string }>>;
  assert.deepEqual(
    Object.entries(told).map(([name, each]) => [name, each["image.name"]]),
    [
      ["app", `${registry.host}/bake/app:7`],
      ["base", undefined],
      ["each-x", `${registry.host}/bake/each:x`],
      ["each-y", `${registry.host}/bake/each:y`],
    ],
  );
  assert.equal(await sandbox.ok(["run", "--rm", `${registry.host}/bake/app:7`, "cat", "/base", "/who", "/f"]), "base\napp-7\nfile");
  assert.deepEqual(await (await fetch(`${registry.url}/v2/bake/each/tags/list`)).json(), { name: "bake/each", tags: ["x", "y"] });
  const failed = await sandbox.call(["buildx", "bake", "--set", "app.target=nope", "app"], { cwd, env });
  assert.deepEqual([failed.code, /target stage "nope" could not be found/.test(failed.stderr)], [1, true]);
});

test("services of a compose file are built; one that another stands on is an image as well", async () => {
  await using sandbox = await createSandbox();
  const service = (name: string, more: string, lines: readonly string[]): string =>
    `  ${name}:\n    image: composed/${name}:1\n    build:\n      context: .\n${more}      dockerfile_inline: |\n${lines.map((line) => `        ${line}\n`).join("")}`;
  const lower = service("lower", "", ["FROM busybox", "ARG WHO", "RUN echo $$WHO >/who"]).replace(
    "      dockerfile_inline",
    "      args: [WHO]\n      dockerfile_inline",
  );
  const upper = service("upper", '      additional_contexts: ["base=service:lower"]\n', ["FROM base", "RUN cat /who /who >/twice"]);
  const cwd = sandbox.folder({ "compose.yaml": `services:\n${lower}${upper}`, ".env": "WHO=you\n" });
  const outcome = await sandbox.call(["buildx", "bake", "--progress=plain"], { cwd });
  assert.equal(outcome.code, 0, outcome.stderr);
  assert.equal(await sandbox.ok(["cat", "composed/lower:1:/who"]), "you");
  assert.equal(await sandbox.ok(["cat", "composed/upper:1:/twice"]), "you\nyou");
});

const beside = `
group "default" { targets = ["one", "two"] }
target "one" {
  dockerfile-inline = <<EOT
FROM busybox
RUN --mount=type=cache,id=meeting,target=/m touch /m/one; for i in $(seq 300); do [ -e /m/two ] && exit 0; sleep 0.1; done; exit 3
EOT
}
target "two" {
  dockerfile-inline = <<EOT
FROM busybox AS first
RUN --mount=type=cache,id=meeting,target=/m touch /m/two; for i in $(seq 300); do [ -e /m/one ] && exit 0; sleep 0.1; done; exit 4
EOT
}
target "bad" { dockerfile-inline = "FROM busybox\\nRUN exit 7\\n" }
target "long" { dockerfile-inline = "FROM busybox\\nRUN sleep 300\\n" }
target "above" {
  contexts = { x = "target:bad" }
  dockerfile-inline = "FROM x\\n"
}
`;

test("targets are built side by side, each step with its target's name; the first that fails ends the others", async () => {
  await using sandbox = await createSandbox();
  const cwd = sandbox.folder({ "docker-bake.hcl": beside });
  const both = await sandbox.call(["buildx", "bake", "--progress=plain"], { cwd });
  assert.equal(both.code, 0, both.stderr);
  for (const name of ["[one internal] load build definition from Dockerfile", "[one 2/2] RUN", "[two first 2/2] RUN", "[two] exporting to image"]) {
    assert.ok(both.stderr.includes(` ${name}`), both.stderr);
  }
  const failed = await sandbox.call(["buildx", "bake", "--progress=plain", "long", "bad", "above"], { cwd });
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, / > \[bad 2\/2\] RUN exit 7:\n[^]*\nDockerfile:2\n-+\n[^]*\nERROR: target bad: failed to solve: process .* exit code: 7\n/);
  assert.equal(failed.stderr.match(/^ERROR: /gm)?.length, 1, failed.stderr);
  assert.match(failed.stderr, /\[long 2\/2\] RUN sleep 300[^]*CANCELED/);
  assert.doesNotMatch(failed.stderr, /\[above/);
  const alone = await sandbox.call(["buildx", "bake", "--progress=plain", "bad"], { cwd });
  assert.match(alone.stderr, / \[2\/2\] RUN exit 7\n[^]*\nERROR: failed to solve: process /);
});
