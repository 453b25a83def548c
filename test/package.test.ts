/**
 * What is published works where it is installed: packed and installed by npm in a folder of its own, used as a command, as a
 * library and by a compiler. What needs npm's registry (for two dependencies) is skipped where it is out of reach.
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, suite, test } from "node:test";
import { buildPackage } from "../scripts/build-package.ts";
import { libraries } from "../scripts/package/bundle.ts";

const root = path.resolve(import.meta.dirname, "..");
const work = mkdtempSync(path.join(tmpdir(), "slipway-package-"));
after(() => rmSync(work, { recursive: true, force: true }));
const prefix = path.join(work, "prefix");
const staged = path.join(work, "staged");
const project = path.join(work, "project");
// npm and what it installs run on this Node, whatever PATH's is
process.env["PATH"] = `${path.dirname(process.execPath)}:${process.env["PATH"] ?? ""}`;

interface Manifest {
  readonly version: string;
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
  readonly dependencies: Readonly<Record<string, string>>;
}
const manifestIn = (directory: string): Manifest => JSON.parse(readFileSync(path.join(directory, "package.json"), "utf8")) as Manifest;
const npm = (...args: readonly string[]) =>
  spawnSync("npm", [...args, "--no-audit", "--no-fund", "--no-update-notifier"], { cwd: work, encoding: "utf8", timeout: 600_000 });

await buildPackage(staged);
const packed = npm("pack", "--json", staged);
const noNpm = packed.error === undefined ? false : `npm cannot be run: ${packed.error.message}`;

/** False when the package and what it depends on are installed below `prefix`. */
function install(): string | false {
  if (noNpm !== false) return noNpm;
  const tarball = path.join(work, `slipway-${manifestIn(staged).version}.tgz`);
  const flags = ["--fetch-retries=0", "--fetch-timeout=15000", "--prefer-offline"];
  const installed = npm("install", "-g", "--prefix", prefix, ...flags, tarball);
  const [code] =
    /\b(?:ENOTFOUND|EAI_\w+|ECONN\w+|ENETUNREACH|EHOSTUNREACH|EPIPE|EPROTO|\w*TIMEOUT|ETIMEDOUT|E429|E5\d\d)\b/.exec(
      `${installed.stderr}${installed.error?.message ?? ""}`,
    ) ?? [];
  if (code !== undefined) return `npm's registry cannot be reached (${code}), and the package has dependencies there`;
  assert.equal(installed.status, 0, installed.stderr);
  return false;
}
const notInstalled = install();

test("the tarball holds what users need and nothing else", { skip: noNpm }, () => {
  interface Tarball {
    readonly size: number;
    readonly files: readonly { readonly path: string }[];
  }
  const [tarball] = JSON.parse(packed.stdout) as readonly Tarball[];
  assert.ok(tarball !== undefined && tarball.size < 1_200_000, `${tarball?.size} bytes`);
  const names = tarball.files.map((file) => file.path);
  const wanted = ["bin/slipway", "dist/cli.cjs", "dist/lib/on-exit.cjs", "dist/licences.txt", "docs/cli/build.md", "LICENSE", "README.md", "CHANGELOG.md"];
  assert.deepEqual(
    wanted.filter((name) => !names.includes(name)),
    [],
  );
  assert.deepEqual(
    names.filter((name) => /\.test\.|(?<!\.d)\.ts$|testdata|^(src|test|bench|scripts)\//.test(name)),
    [],
  );
});

test("its manifest and the checkout's name the same entries, and every file is there", () => {
  const [own, published] = [manifestIn(root), manifestIn(staged)];
  assert.deepEqual(own.exports, Object.fromEntries(Object.entries(libraries).map(([subpath, folder]) => [subpath, `./src/${folder}/index.ts`])));
  const { "./package.json": _, ...entries } = published.exports;
  assert.deepEqual(Object.keys(entries), Object.keys(own.exports));
  for (const file of Object.values(entries).flatMap((one) => (typeof one === "string" ? [one] : [one.types, one.default]))) {
    assert.ok(existsSync(path.join(staged, file)), file);
  }
});

test("the licences of bundled packages come with them", () => {
  const text = readFileSync(path.join(staged, "dist/licences.txt"), "utf8");
  for (const name of Object.keys(manifestIn(root).dependencies)) {
    assert.equal(name in manifestIn(staged).dependencies, !text.includes(`${name} `), name);
  }
});

test("an old Node is told so", () => {
  const program = `Object.defineProperty(process.versions, "node", { value: "20.20.2" }); require(${JSON.stringify(path.join(staged, "dist/cli.cjs"))});`;
  const { status, stderr } = spawnSync(process.execPath, ["-e", program], { encoding: "utf8" });
  assert.deepEqual([status, stderr], [1, "slipway: Node 20.20.2 is too old: 24.15 or newer is needed (docs/install.md names a way that keeps this one)\n"]);
});

suite("the command", { skip: notInstalled }, async () => {
  process.env["SLIPWAY_TEST_PROGRAM"] = path.join(prefix, "bin/slipway");
  const { createSandbox, isRoot } = await import("./e2e/sandbox.ts");
  const { findBusybox } = await import("./e2e/base-image.ts");
  const noContainers = [
    isRoot ? undefined : "root",
    findBusybox() === undefined ? "busybox" : undefined,
    ...["conmon", "crun"].map((part) => (existsSync(`/usr/bin/${part}`) ? undefined : part)),
  ].filter((part) => part !== undefined);

  test("tells its version, builds, finds its work cached and lists it", async () => {
    await using sandbox = await createSandbox({ base: false });
    assert.match(await sandbox.ok(["version"]), new RegExp(`Version: +${manifestIn(root).version}\\b`));
    const context = sandbox.folder({ Dockerfile: "FROM scratch\nCOPY greeting.txt /\n", "greeting.txt": "hello\n" });
    const id = await sandbox.ok(["build", "-q", "-t", "packaged:1", context]);
    assert.equal(await sandbox.ok(["build", "-q", "-t", "packaged:1", context]), id);
    assert.equal(await sandbox.ok(["images", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}"]), `packaged:1 ${id}`);
  });

  const skip = noContainers.length > 0 ? `needs ${noContainers.join(", ")}` : false;
  test("runs a container in the background, and clears it away when it ends", { skip }, async () => {
    await using sandbox = await createSandbox();
    await sandbox.ok(["run", "-d", "--rm", "--network", "none", "busybox", "true"]);
    await sandbox.until(["ps", "-aq"], "");
  });
});

suite("the library", { skip: notInstalled }, () => {
  mkdirSync(path.join(project, "node_modules"), { recursive: true });
  symlinkSync(path.join(prefix, "lib/node_modules/slipway"), path.join(project, "node_modules/slipway"));
  const write = (name: string, text: string): string => {
    writeFileSync(path.join(project, name), text);
    return path.join(project, name);
  };
  const run = (file: string): string => execFileSync(process.execPath, [file], { cwd: project, encoding: "utf8", env: { ...process.env, HOME: work } });

  test("builds, and its errors are of one class", () => {
    write("greeting.txt", "hello\n");
    const file = write(
      "build.mjs",
      `import { Slipway, SlipwayError } from "slipway";
      await using slipway = await Slipway.open({ root: ${JSON.stringify(path.join(work, "store"))} });
      const dockerfile = { kind: "text", text: "FROM scratch\\nCOPY greeting.txt /\\n" };
      const build = slipway.build({ context: { kind: "directory", path: "." }, dockerfile, tags: ["from-code:1"] });
      const steps = [];
      for await (const event of build) if (event.type === "vertex" && event.completedMs !== undefined) steps.push(event.name);
      const { imageId } = await build.result;
      let code;
      try { slipway.images.inspect("nothing"); } catch (error) { if (error instanceof SlipwayError) code = error.code; }
      console.log(JSON.stringify([slipway.images.inspect("from-code:1").Id === imageId, steps.includes("[1/1] COPY greeting.txt /"), code]));`,
    );
    assert.deepEqual(JSON.parse(run(file)), [true, true, "NO_SUCH_IMAGE"]);
  });

  test("its parts stand alone, for import and for require", () => {
    const names = Object.keys(libraries).map((subpath) => `slipway${subpath.slice(1)}`);
    const file = write(
      "parts.mjs",
      `import { createRequire } from "node:module";
      const names = ${JSON.stringify(names)};
      const imported = await Promise.all(names.map(async (name) => Object.keys(await import(name)).filter((key) => key !== "default" && key !== "module.exports")));
      const required = names.map((name) => Object.keys(createRequire(import.meta.url)(name)));
      console.log(JSON.stringify([imported.map((keys) => keys.sort()), required.map((keys) => keys.sort())]));`,
    );
    const [imported, required] = JSON.parse(run(file)) as readonly (readonly (readonly string[])[])[];
    assert.deepEqual(imported, required);
    for (const name of ["Slipway", "parseReference", "parseDockerfile", "createRegistryClient"]) assert.ok(imported?.flat().includes(name), name);
  });

  test("a compiler finds its types", () => {
    const file = write(
      "typed.ts",
      `import { Slipway, SlipwayError, type BuildOptions, type ProgressEvent } from "slipway";
      import { parseDockerfile } from "slipway/dockerfile";
      import { parseReference, type Digest } from "slipway/oci";
      import { createRegistryClient, readMachineConfig } from "slipway/registry";
      export const options: BuildOptions = { context: { kind: "directory", path: "." }, tags: ["a"] };
      export async function build(): Promise<Digest | undefined> {
        await using slipway = await Slipway.open();
        const task = slipway.build(options);
        for await (const event of task) { const one: ProgressEvent = event; if (one.type === "log") process.stdout.write(one.data); }
        return (await task.result).imageId;
      }
      export const others = [SlipwayError, parseDockerfile, parseReference, createRegistryClient, readMachineConfig];
      // @ts-expect-error tags are a list
      export const wrong: BuildOptions = { context: { kind: "directory", path: "." }, tags: "a" };
      `,
    );
    const compiler = path.join(root, "node_modules/typescript/bin/tsc");
    const flags = ["--ignoreConfig", "--noEmit", "--strict", "--target", "esnext", "--module", "nodenext", "--types", "node"];
    const outcome = spawnSync(process.execPath, [compiler, ...flags, "--typeRoots", path.join(root, "node_modules/@types"), file], { encoding: "utf8" });
    assert.deepEqual([outcome.status, outcome.stdout], [0, ""]);
  });
});
