import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, sep } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("./checkout.ts", import.meta.url));
const sources = fileURLToPath(new URL("../", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "slipway-start-"));
after(() => rmSync(folder, { recursive: true }));

const log = join(folder, "modules");
const watcher = join(folder, "watch.mjs");
writeFileSync(
  watcher,
  `import { registerHooks } from "node:module";
   import { writeFileSync } from "node:fs";
   const urls = [];
   registerHooks({ load: (url, context, next) => (urls.push(url), next(url, context)) });
   process.on("exit", () => writeFileSync(${JSON.stringify(log)}, urls.join("\\n")));`,
);
const context = join(folder, "context");
mkdirSync(context);
writeFileSync(join(context, "Dockerfile"), 'FROM scratch\nWORKDIR /app\nCOPY . .\nCMD ["/app/x"]\n');
writeFileSync(join(context, "package-lock.json"), '{"lockfileVersion":3,"packages":{"node_modules/a":{"version":"1.0.0"}}}');
const advisories = join(folder, "advisories.json");
const affected = [{ package: { ecosystem: "npm", name: "a" }, ranges: [{ type: "SEMVER", events: [{ introduced: "0" }] }] }];
writeFileSync(advisories, JSON.stringify({ id: "GHSA-1", modified: "2026-01-01T00:00:00Z", affected }));

/** What a command loads of ours, below src, and of packages. */
function modulesOf(words: readonly string[]): { readonly own: readonly string[]; readonly packages: readonly string[] } {
  const env = { PATH: process.env["PATH"], HOME: folder, SLIPWAY_ROOT: join(folder, "store"), NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] };
  const { status, stderr } = spawnSync(process.execPath, ["--import", watcher, "--", program, ...words], { encoding: "utf8", env });
  assert.equal(status, 0, stderr);
  const files = readFileSync(log, "utf8")
    .split("\n")
    .filter((url) => url.startsWith("file:"))
    .map((url) => fileURLToPath(url));
  return {
    own: files.filter((file) => file.startsWith(sources)).map((file) => file.slice(sources.length)),
    // what a file that changed a moment ago has for attributes is read again, with koffi
    packages: files.filter((file) => file.includes(`${sep}node_modules${sep}`) && !file.includes("koffi")),
  };
}

// Each module costs a quarter of a millisecond. Who needs more of them should load them where they are used, or raise the bound knowingly.
const commands: readonly (readonly [string, readonly string[], number, ...packages: string[]])[] = [
  ["--version", ["--version"], 40],
  ["--help", ["--help"], 40],
  ["version", ["version"], 40],
  ["a cached build", ["build", "-q", "-t", "app", context], 320],
  ["images", ["images"], 150],
  ["inspect", ["inspect", "app"], 280],
  ["tag", ["tag", "app", "other"], 143],
  ["a scan of what was seen before", ["scan", "app"], 183, "@renovatebot/pep440"],
  ["the same as a document", ["scan", "--format", "json", "app"], 189, "@renovatebot/pep440"],
];

test("a command loads little more than it needs", () => {
  modulesOf(["build", "-q", "-t", "app", context]);
  modulesOf(["db", "import", "-q", advisories]);
  modulesOf(["scan", "app"]);
  for (const [name, words, most, ...needed] of commands) {
    const { own, packages } = modulesOf(words);
    assert.ok(own.length <= most, `${name} loads ${own.length} modules, more than ${most}:\n${own.join("\n")}`);
    const others = packages.filter((file) => !needed.some((one) => file.includes(`${sep}node_modules${sep}${one.replace("/", sep)}${sep}`)));
    assert.deepEqual(others, [], name);
  }
});
