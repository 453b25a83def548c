/** Versions of packages in bundles that do not tell them: those of the packages that the bundle was made from, where the image has these too. */
import { posix } from "node:path";
import type { ImagePackage } from "./package.ts";

const marker = "node_modules/";

/** "app/node_modules/a/node_modules/b" → "node_modules/a/node_modules/b" */
function withinProject(place: string): string {
  const at = place.startsWith(marker) ? 0 : place.indexOf(`/${marker}`) + 1;
  return place.slice(at);
}

interface Neighbours {
  /** by the path of their package.json */
  readonly installed: ReadonlyMap<string, ImagePackage>;
  /** by the lock file's directory and the name */
  readonly locked: ReadonlyMap<string, readonly ImagePackage[]>;
}

function neighboursOf(packages: readonly ImagePackage[]): Neighbours {
  const installed = new Map<string, ImagePackage>();
  const locked = new Map<string, ImagePackage[]>();
  for (const one of packages) {
    if (one.type !== "npm" || one.bundled !== undefined) continue;
    if (one.locked !== true) {
      installed.set(one.path, one);
      continue;
    }
    const key = `${posix.dirname(one.path)}\0${one.name}`;
    const same = locked.get(key);
    if (same === undefined) locked.set(key, [one]);
    else same.push(one);
  }
  return { installed, locked };
}

/**
 * Of what lies in an installed package that package's directory, else ".": it was bundled by its maker, and what its user installed or locked says
 * nothing of it.
 */
function projectOf(path: string): string {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/[^/]+|[^/@.][^/]*)(?=\/)/.exec(path)?.[0] ?? ".";
}

/** The directory and those above it, to the last. */
function* upward(directory: string, last: string): Generator<string> {
  for (let at = directory; at !== last && at !== "."; at = posix.dirname(at)) yield at;
  yield last;
}

/** At its place in the lock; without places, or of another version's lock, only where no other version is locked. */
function lockedAs(candidates: readonly ImagePackage[], place: string): ImagePackage | undefined {
  const same = candidates.filter((one) => (one.place ?? `${marker}${one.name}`) === place);
  const [first, ...others] = same.length > 0 ? same : candidates;
  return others.every(({ version }) => version === first?.version) ? first : undefined;
}

/** What is nearest to the bundle: first the very directory that its map names. */
function originalOf({ name, path, bundled = "" }: ImagePackage, { installed, locked }: Neighbours): ImagePackage | undefined {
  const exact = installed.get(`${bundled}/package.json`);
  if (exact !== undefined) return exact;
  const project = projectOf(path);
  const place = withinProject(bundled.startsWith(`${project}/`) ? bundled.slice(project.length + 1) : bundled);
  for (const directory of upward(posix.dirname(path), project)) {
    const found = installed.get(posix.join(directory, place, "package.json"));
    if (found !== undefined) return found;
    const candidates = locked.get(`${directory}\0${name}`);
    if (candidates !== undefined) return lockedAs(candidates, place);
  }
  return undefined;
}

/** Copies of one package of one version in one bundle are one. */
export function settleBundled(packages: readonly ImagePackage[]): readonly ImagePackage[] {
  if (!packages.some(({ bundled }) => bundled !== undefined)) return packages;
  const neighbours = neighboursOf(packages);
  const settled = new Map<string, ImagePackage>();
  const others: ImagePackage[] = [];
  for (const one of packages) {
    if (one.bundled === undefined) {
      others.push(one);
      continue;
    }
    const original = one.version === "" ? originalOf(one, neighbours) : undefined;
    const { name, version, licences, homepage } = original ?? one;
    const bundled = withinProject(one.bundled);
    const told = { ...(licences === undefined ? {} : { licences }), ...(homepage === undefined ? {} : { homepage }) };
    const key = `${one.path}\0${name}\0${version}`;
    if (!settled.has(key)) settled.set(key, { ...one, name, version, ...told, bundled });
  }
  return [...others, ...settled.values()];
}
