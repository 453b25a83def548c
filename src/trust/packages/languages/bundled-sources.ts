/** From the names that bundlers give to sources to the packages that they are of. */

export interface BundledSource {
  readonly name: string;
  /** "" where the path does not tell */
  readonly version: string;
  /** the package's directory, as the bundler has it: "../node_modules/a", "/app/node_modules/a", "webpack://app/./node_modules/a" */
  readonly directory: string;
  /** within the package: "package.json" */
  readonly file: string;
}

const marker = "node_modules/";
const packageName = /^((?:@[\w~-][\w.~-]*\/)?[a-zA-Z0-9~-][\w.~-]*)\/(.+)$/;
const exactVersion = /^\d+\.\d+\.\d+[\w.+-]*$/;

/** `./loader.js??options!./node_modules/a/index.js?query`, with the marks of rollup's own modules, and Windows' separators. */
function plainPath(source: string): string {
  const last = source.slice(source.lastIndexOf("!") + 1).replace(/\?.*$/s, "");
  const path = last.replace(/^\0/, "").replaceAll("\\", "/");
  if (!path.includes("%")) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** What package managers that keep each version once call its directory. `before`: what stands above the innermost node_modules. */
function versionIn(before: string, name: string): string {
  // pnpm, bun, deno: node_modules/.pnpm/@babel+runtime@7.23.2_peer@1.0.0/node_modules/…
  const [, key = ""] = /(?:^|\/)node_modules\/\.(?:pnpm|bun|deno)\/([^/]+)\/$/.exec(before) ?? [];
  const prefix = `${name.replace("/", "+")}@`;
  if (key.startsWith(prefix)) return key.slice(prefix.length).replace(/[_(].*$/, "");
  const directory = before.slice(before.lastIndexOf("/", before.length - 2) + 1);
  if (directory.length > 300) return "";
  // yarn: .yarn/cache/@babel-runtime-npm-7.23.2-d013d6cf7e-6c4df4839e.zip/node_modules/…
  const [, yarnName, version] = /^([^/]+)-npm-(\d[^/]*?)-[0-9a-f]{10}(?:-[0-9a-f]+)?(?:\.zip)?\/$/.exec(directory) ?? [];
  return yarnName === name.replace("/", "-") ? (version ?? "") : "";
}

/** undefined for what is of no package: the project's own sources, the bundler's. */
export function packageOfSource(source: string): BundledSource | undefined {
  const path = plainPath(source);
  const at = path.lastIndexOf(marker);
  if (at < 0 || (at > 0 && path[at - 1] !== "/") || /(?:^|\/)ignored\|/.test(path)) return undefined;
  const [, name, file] = packageName.exec(path.slice(at + marker.length)) ?? [];
  if (name === undefined || file === undefined || name.length > 214) return undefined;
  const version = versionIn(path.slice(0, at), name);
  return { name, version: exactVersion.test(version) ? version : "", directory: `${path.slice(0, at)}${marker}${name}`, file };
}
