/** docs/trust.md from nothing: each command as it is printed there answers what is printed there. "…" in the page stands for anything. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { serve } from "../registry/serve-program.ts";
import { createSandbox, slipwayPath } from "./sandbox.ts";

const page = readFileSync(path.resolve(import.meta.dirname, "../../docs/trust.md"), "utf8");
const steps = [...page.matchAll(/^```console\n(.*?)^```$/gms)].flatMap(([, block = ""]) =>
  block
    .split(/^\$ /m)
    .slice(1)
    .map((text) => ({ command: text.split("\n", 1)[0]!, answer: text.slice(text.indexOf("\n") + 1) })),
);
/** The test has a registry of its own already, and the feed without a network. */
const prepared = /^(?:slipway registry serve|curl) /;

const sandbox = await createSandbox();
const server = await serve(sandbox.directory);
after(async () => {
  await server[Symbol.asyncDispose]();
  await sandbox[Symbol.asyncDispose]();
});
const host = `localhost:${new URL(server.url).port}`;

await sandbox.build(
  "FROM busybox\nCOPY os-release /etc/os-release\nCOPY installed /lib/apk/db/installed\n",
  { "os-release": 'ID=alpine\nVERSION_ID=3.22.1\nPRETTY_NAME="Alpine Linux v3.22"\n', installed: "P:busybox\nV:1.37.0-r20\nA:x86_64\no:busybox\n\n" },
  ["-t", "alpine:3.22"],
);
// a feed is as old as the newest name in it
const year = new Date().getUTCFullYear();
const feed = { distroversion: "v3.22", reponame: "main", packages: [{ pkg: { name: "busybox", secfixes: { "1.37.0-r2": [`CVE-${year}-1`] } } }] };
writeFileSync(path.join(sandbox.directory, "main.json"), JSON.stringify(feed));

let exported = "";
function run(command: string): string {
  const { BUILDX_NO_DEFAULT_ATTESTATIONS: _, ...env } = sandbox.env;
  const script = `slipway() { ${slipwayPath} "$@"; }\n${exported}exec 2>&1\n${command.replaceAll("localhost:5000", host)}\n`;
  const { stdout } = spawnSync("sh", ["-c", script], { cwd: sandbox.directory, env, encoding: "utf8", timeout: 240_000 });
  if (command.startsWith("export ")) exported += `${command}\n`;
  return stdout.replaceAll(host, "localhost:5000").replaceAll(path.join(sandbox.directory, "home"), "/home/me");
}

const patternOf = (answer: string): RegExp =>
  new RegExp(
    `^${answer
      .split("…")
      .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
      .join("[^]*")}$`,
  );

test("docs/trust.md, from nothing to signed images alone", async (context) => {
  assert.ok(steps.length > 10);
  for (const { command, answer } of steps) {
    if (!prepared.test(command)) await context.test(command, () => assert.match(run(command), patternOf(answer)));
  }
});

test("the signed image is refused as well, once a mended package is known", async () => {
  const worse = { ...feed, packages: [{ pkg: { name: "busybox", secfixes: { "1.37.0-r21": [`CVE-${year}-2`] } } }] };
  writeFileSync(path.join(sandbox.directory, "main.json"), JSON.stringify(worse));
  await sandbox.ok(["db", "import", "-q", "main.json"]);
  assert.match(
    run("slipway run -q --rm localhost:5000/acme/app:1.0"),
    new RegExp(`refuses .*: it has 1 of high, unknown, fixable: CVE-${year}-2 \\(unknown, busybox`),
  );
});
