/**
 * JavaScript of the sources: Node strips no types below node_modules, and one file that holds many modules starts faster
 * than the modules. CommonJS, because it starts in two thirds of the time that the same bundle takes as ECMAScript modules.
 */
import path from "node:path";
import { rolldown, type OutputChunk, type Plugin } from "rolldown";

const root = path.resolve(import.meta.dirname, "../..");
const inSource = (file: string): string => path.join(root, "src", file);

export const programs = { main: inSource("cli/main.ts"), "on-exit": inSource("engine/containers/on-exit.ts") } as const;

/** Subpath of the package → name of the source's folder. */
export const libraries = {
  ".": "engine",
  "./oci": "oci",
  "./dockerfile": "dockerfile",
  "./registry": "registry",
  "./testing": "testing",
  "./trust": "trust",
} as const;

/** Node's own answer for a program whose promises never settled. */
const unsettledExitCode = 13;

/** CommonJS has no top-level await: what follows the imports of a program becomes a function. */
export function wrapProgram(code: string): string {
  const last = [...code.matchAll(/^import\b[^;]*;$/gm)].at(-1);
  const end = last === undefined ? 0 : last.index + last[0].length;
  return `${code.slice(0, end)}
process.exitCode = ${unsettledExitCode};
void (async () => {${code.slice(end)}
process.exitCode = undefined;
})();
`;
}

/** Fails the build when the text is no longer there: the source has changed, and with it what must be done here. */
export function replaceOnce(code: string, from: string, to: string): string {
  if (code.split(from).length !== 2) throw new Error(`expected ${JSON.stringify(from)} exactly once`);
  return code.replace(from, () => to);
}

/** Changes to single sources: file below src → the changed text. */
export type Edits = Readonly<Record<string, (code: string) => string>>;

export function editSources(edits: Edits): Plugin {
  const byPath = new Map(Object.entries(edits).map(([file, edit]) => [inSource(file), edit]));
  const used = new Set<string>();
  return {
    name: "edit-sources",
    transform(code, id) {
      const edit = byPath.get(id);
      used.add(id);
      return edit === undefined ? null : edit(code);
    },
    buildEnd() {
      const unused = [...byPath.keys()].filter((file) => !used.has(file));
      if (unused.length > 0) throw new Error(`not part of the bundle: ${unused.join(", ")}`);
    },
  };
}

export interface Bundle {
  readonly input: Readonly<Record<string, string>>;
  readonly directory: string;
  readonly edits: Edits;
  readonly external: readonly (string | RegExp)[];
  /** what a command does not need stays in files of its own, loaded when needed */
  readonly split: boolean;
  readonly plugins?: readonly Plugin[];
}

/** Files that are still TypeScript when they are needed would only fail then. */
function assertNoSourceLeft(chunks: readonly OutputChunk[]): void {
  for (const { fileName, code } of chunks) {
    const [left] = /new URL\(["'`][^"'`]*\.ts["'`]/.exec(code) ?? [];
    if (left !== undefined) throw new Error(`${fileName} still refers to a source: ${left}`);
  }
}

export async function writeBundle(wanted: Bundle): Promise<readonly OutputChunk[]> {
  await using bundle = await rolldown({
    cwd: root,
    input: wanted.input,
    platform: "node",
    external: [...wanted.external],
    plugins: [editSources(wanted.edits), ...(wanted.plugins ?? [])],
    // an import() of what is loaded anyway is no mistake of the program
    checks: { ineffectiveDynamicImport: false },
    onLog: (level, log) => {
      if (level === "warn") throw new Error(log.message);
    },
  });
  const { output } = await bundle.write({
    dir: wanted.directory,
    format: "cjs",
    entryFileNames: "[name].cjs",
    chunkFileNames: "[name]-[hash].cjs",
    codeSplitting: wanted.split,
    comments: { legal: true, annotation: false, jsdoc: false },
  });
  const chunks = output.filter((one) => one.type === "chunk");
  assertNoSourceLeft(chunks);
  return chunks;
}

/** The programs and the library's entries side by side, with what they share in common files. */
export function writePackageBundle(directory: string): Promise<readonly OutputChunk[]> {
  const entries = Object.values(libraries).map((folder) => [folder, inSource(`${folder}/index.ts`)] as const);
  return writeBundle({
    input: { ...programs, ...Object.fromEntries(entries) },
    directory,
    edits: {
      "cli/main.ts": wrapProgram,
      "engine/containers/on-exit.ts": wrapProgram,
      "engine/containers/container-host.ts": (code) => replaceOnce(code, '"./on-exit.ts"', '"./on-exit.cjs"'),
    },
    external: ["koffi", /^undici(\/|$)/],
    split: true,
  });
}
