/**
 * `npm run sea`: dist/slipway, the command line as one file that needs no Node: this machine's Node with the bundle and koffi's
 * library inside. The figures of docs/install.md tell what it costs.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { writeProgramBundle } from "./package/one-file.ts";

const root = path.resolve(import.meta.dirname, "..");
/** Node looks for its blob behind these words, which its documentation gives. */
const resource = { name: "NODE_SEA_BLOB", fuse: "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2" } as const;

/** Stripped before the blob is inside: stripping afterwards breaks the program. */
function copyNode(target: string): void {
  rmSync(target, { force: true });
  copyFileSync(process.execPath, target);
  chmodSync(target, 0o755);
  if (spawnSync("strip", [target]).status !== 0) console.warn("strip (package binutils) is absent or failed: the file is 20 MB larger than it need be");
}

function writeBlob(directory: string, main: string): string {
  const output = path.join(directory, "blob");
  const config = {
    main,
    output,
    disableExperimentalSEAWarning: true,
    useCodeCache: true,
    execArgv: ["--disable-warning=ExperimentalWarning"],
    execArgvExtension: "none",
    assets: { "koffi.node": path.join(root, `node_modules/@koromix/koffi-linux-${process.arch}/linux_${process.arch}/koffi.node`) },
  };
  const file = path.join(directory, "sea.json");
  writeFileSync(file, JSON.stringify(config));
  execFileSync(process.execPath, ["--experimental-sea-config", file], { stdio: ["ignore", "ignore", "inherit"] });
  return output;
}

/** Quiet unless it fails: it warns of sections that strip has taken away. */
function inject(target: string, blob: string): void {
  const program = path.join(path.dirname(fileURLToPath(import.meta.resolve("postject"))), "cli.js");
  execFileSync(process.execPath, [program, target, resource.name, blob, "--sentinel-fuse", resource.fuse], { stdio: "pipe" });
}

/** Writes the executable, for this machine's processor and C library. */
export async function buildExecutable(target: string): Promise<void> {
  const { version } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as { readonly version: string };
  const directory = mkdtempSync(path.join(tmpdir(), "slipway-sea-"));
  try {
    const main = await writeProgramBundle(directory, version);
    copyNode(target);
    inject(target, writeBlob(directory, main));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const target = path.join(root, "dist/slipway");
  mkdirSync(path.dirname(target), { recursive: true });
  await buildExecutable(target);
  console.log(`dist/slipway: ${Math.round(statSync(target).size / 1_000_000)} MB, Node ${process.versions.node}, linux ${process.arch}`);
}
