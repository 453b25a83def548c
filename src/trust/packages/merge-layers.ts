/** From the inventories of layers to that of the image: what upper layers hide is gone, and each package has the layer that brought it. */
import type { LayerFile, LayerInventory } from "./layer-inventory.ts";
import { missingDatabase } from "./missing-database.ts";
import { settleBundled } from "./settle-bundled.ts";
import { isDistributionType, type FoundPackage, type ImagePackage, type Inventory } from "./package.ts";
import { pathHash } from "./path-set.ts";

interface PlacedFile {
  readonly file: LayerFile;
  readonly owner: string | undefined;
}

/** `layers` bottom first. */
export function mergeLayers(layers: readonly LayerInventory[]): Inventory {
  const visible = new Map<string, PlacedFile>();
  const since = new Map<string, number>();
  const hashOf = rememberedHash();
  for (const [at, layer] of layers.entries()) {
    if (!applyLayer(visible, layer, hashOf)) continue;
    const keys = new Set([...visible.values()].flatMap(({ file }) => (file.packages ?? []).map((found) => keyOf(file.path, found))));
    for (const key of since.keys()) if (!keys.has(key)) since.delete(key);
    for (const key of keys) if (!since.has(key)) since.set(key, at);
  }
  const files = [...visible.values()];
  const distribution = distributionOf(visible);
  const packages = packagesOf(files, since, licencesOf(files, layers));
  const unread = packages.some(({ type }) => isDistributionType(type)) ? undefined : missingDatabase(distribution);
  return {
    distribution,
    repositories: files.flatMap(({ file }) => file.repositories ?? []),
    packages,
    omissions: [...omissionsOf(layers, hashOf), ...(unread === undefined ? [] : [{ ...unread, layer: layers.length - 1 }])],
  };
}

/** A distribution's package is itself whichever file says so; a language's is one of possibly many copies. */
function keyOf(path: string, { type, name, version, architecture, bundled = "" }: FoundPackage): string {
  return `${type} ${name} ${version} ${architecture ?? ""} ${isDistributionType(type) ? "" : path} ${bundled}`;
}

/** false when nothing changed. */
function applyLayer(visible: Map<string, PlacedFile>, layer: LayerInventory, hashOf: Hash): boolean {
  let changed = layer.files.length > 0;
  const owners = new Map<string, string>();
  const hides = hidingOf(layer, hashOf);
  for (const [path, { owner }] of visible) {
    if (!hides(path)) continue;
    visible.delete(path);
    changed = true;
    if (owner !== undefined) owners.set(path, owner);
  }
  // a file whose mode changed is written again, and it is still the package's
  for (const file of layer.files) visible.set(file.path, { file, owner: file.owner ?? owners.get(file.path) });
  return changed;
}

type Hash = (path: string) => number;

/** The same directories are asked of every layer. */
function rememberedHash(): Hash {
  const hashes = new Map<string, number>();
  return (path) => {
    const known = hashes.get(path) ?? pathHash(path);
    hashes.set(path, known);
    return known;
  };
}

/** Whether the layer takes a path of lower layers away: by itself, or by what it makes of a directory above it. */
function hidingOf({ removed, opaque, paths }: LayerInventory, hashOf: Hash): (path: string) => boolean {
  const [gone, fresh] = [new Set(removed), new Set(opaque)];
  return (path) => {
    if (gone.has(path) || paths.has(hashOf(path)) || fresh.has("")) return true;
    for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1)) {
      const above = path.slice(0, slash);
      if (gone.has(above) || fresh.has(above) || paths.has(hashOf(above))) return true;
    }
    return false;
  };
}

/** Of files that upper layers did not take away. */
function omissionsOf(layers: readonly LayerInventory[], hashOf: Hash): Inventory["omissions"] {
  return layers.flatMap(({ omitted }, layer) => {
    if (omitted.length === 0) return [];
    const hiding = layers.slice(layer + 1).map((above) => hidingOf(above, hashOf));
    return omitted.filter(({ path }) => !hiding.some((hides) => hides(path))).map((one) => ({ ...one, layer }));
  });
}

/** /etc/os-release is usually a link to the other one. */
function distributionOf(visible: ReadonlyMap<string, PlacedFile>): Inventory["distribution"] {
  return visible.get("etc/os-release")?.file.distribution ?? visible.get("usr/lib/os-release")?.file.distribution;
}

type Licences = ReadonlyMap<string, readonly string[]>;

/** Documents may be a link to those of another package of the same source. */
function licencesOf(files: readonly PlacedFile[], layers: readonly LayerInventory[]): Licences {
  const licences = new Map<string, readonly string[]>();
  for (const { file } of files) for (const [name, words] of Object.entries(file.licences ?? {})) licences.set(name, words);
  for (const { documentLinks } of layers) {
    for (const [name, target] of Object.entries(documentLinks)) {
      const words = licences.get(target);
      if (words !== undefined && !licences.has(name)) licences.set(name, words);
    }
  }
  return licences;
}

function packagesOf(files: readonly PlacedFile[], since: ReadonlyMap<string, number>, licences: Licences): readonly ImagePackage[] {
  const packages = new Map<string, ImagePackage>();
  const installed = new Set(files.flatMap(({ file }) => (file.packages ?? []).flatMap(({ type, name }) => (isDistributionType(type) ? [name] : []))));
  for (const { file, owner } of files) {
    for (const found of file.packages ?? []) {
      const key = keyOf(file.path, found);
      const words = found.type === "deb" ? licences.get(found.name) : undefined;
      packages.set(key, {
        ...found,
        ...(words === undefined ? {} : { licences: words }),
        // a list of files by itself is no package: what it names would be compared with nothing
        ...(owner === undefined || !installed.has(owner) ? {} : { owner }),
        path: file.path,
        layer: since.get(key) ?? 0,
      });
    }
  }
  return [...withoutInstalled(settleBundled([...packages.values()]))].sort(inOrder);
}

/** Lock files stand beside what was installed by them: they tell of the rest alone. */
function withoutInstalled(packages: readonly ImagePackage[]): readonly ImagePackage[] {
  if (!packages.some(({ locked }) => locked === true)) return packages;
  const installed = new Set(packages.flatMap((one) => (one.locked === true || one.bundled !== undefined ? [] : [sameness(one)])));
  return packages.filter((one) => one.locked !== true || !installed.has(sameness(one)));
}

/** Python's names are the same in any case, and with any of three separators; Composer's versions with and without a v. */
function sameness({ type, name, version }: FoundPackage): string {
  const plain = type === "pypi" ? name.toLowerCase().replace(/[-_.]+/g, "-") : name;
  return `${type} ${plain} ${type === "composer" ? version.replace(/^v/, "") : version}`;
}

function inOrder(a: ImagePackage, b: ImagePackage): number {
  for (const key of ["type", "name", "version", "path"] as const) if (a[key] !== b[key]) return a[key] < b[key] ? -1 : 1;
  return (a.architecture ?? "") < (b.architecture ?? "") ? -1 : 1;
}
