/**
 * Both programs in one file of JavaScript, for an executable that has nothing beside it: no package.json, no packages, no
 * second script. What the sources take from there is put in their text.
 */
import path from "node:path";
import { replaceOnce, wrapProgram, writeBundle } from "./bundle.ts";

/** Stands where the call of a container's end names its script, as the first word after Node's option. */
const onExit = "slipway:on-exit";

const entry = `if (process.argv[3] === ${JSON.stringify(onExit)}) {
  process.argv.splice(2, 2);
  void import("../src/engine/containers/on-exit.ts");
} else void import("../src/cli/main.ts");
`;

/** A shared library must be a file while it is loaded; some machines forbid executing what lies in /tmp. */
const loadKoffi = `
function loadEmbeddedKoffi(): typeof Koffi {
  const { mkdtempSync, rmSync, writeFileSync } = process.getBuiltinModule("node:fs");
  const { tmpdir } = process.getBuiltinModule("node:os");
  const bytes = process.getBuiltinModule("node:sea").getAsset("koffi.node");
  let failure;
  for (const folder of [tmpdir(), "/dev/shm", process.env["HOME"] ?? "/"]) {
    let directory;
    try {
      directory = mkdtempSync(folder + "/slipway-");
      writeFileSync(directory + "/koffi.node", new Uint8Array(bytes), { mode: 0o500 });
      const loaded = { exports: {} };
      process.dlopen(loaded, directory + "/koffi.node");
      return loaded.exports as typeof Koffi;
    } catch (error) {
      failure = error;
    } finally {
      if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
    }
  }
  throw failure;
}
`;

const packageVersion = (version: string) => (code: string) =>
  replaceOnce(code, "function packageVersion(): string {", `function packageVersion(): string {\n  return ${JSON.stringify(version)};`);

/** Writes main.cjs into the directory and answers its path. */
export async function writeProgramBundle(directory: string, version: string): Promise<string> {
  const id = "\0one-file";
  await writeBundle({
    input: { main: id },
    directory,
    edits: {
      "cli/main.ts": wrapProgram,
      "cli/standard-streams.ts": packageVersion(version),
      "engine/system/version.ts": packageVersion(version),
      "engine/containers/on-exit.ts": wrapProgram,
      "engine/containers/container-host.ts": (code) => replaceOnce(code, 'fileURLToPath(new URL("./on-exit.ts", import.meta.url))', JSON.stringify(onExit)),
      // the executable is its own script: there is none to name again
      "engine/user-namespace.ts": (code) => replaceOnce(replaceOnce(code, "process.execArgv", "[]"), "process.argv.slice(1)", "process.argv.slice(2)"),
      "store/syscalls.ts": (code) => replaceOnce(code, 'createRequire(import.meta.url)("koffi") as typeof Koffi', "loadEmbeddedKoffi()") + loadKoffi,
      "registry/undici.ts": (code) =>
        replaceOnce(code, "const load = createRequire(import.meta.url);", "").replaceAll(/\bload\(("undici[^"]*")\)/g, "require($1)"),
    },
    external: [],
    split: false,
    plugins: [
      {
        name: "entry",
        resolveId: (source) => (source === id ? source : source.startsWith("../src/") ? path.resolve(import.meta.dirname, "..", source) : null),
        load: (one) => (one === id ? entry : null),
      },
    ],
  });
  return path.join(directory, "main.cjs");
}
