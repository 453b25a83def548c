/**
 * Optional packages for other platforms in package-lock.json. `npm ci` refuses a lockfile that lacks one of them, and npm
 * leaves out those that the registry in use does not serve (mirrors often hold one platform only). The names of such
 * packages tell their platform, which is all that npm needs in order to skip them elsewhere.
 *
 * `node scripts/lockfile.ts` completes the file; test/structure.test.ts checks that nothing is missing.
 */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

interface LockedPackage {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

export interface Lockfile {
  readonly packages: Readonly<Record<string, LockedPackage>>;
  readonly [field: string]: unknown;
}

export interface MissingPackage {
  readonly name: string;
  readonly version: string;
  readonly neededBy: string;
  readonly dev: boolean;
}

const place = (name: string): string => `node_modules/${name}`;

export function missingOptionalPackages(lock: Lockfile): readonly MissingPackage[] {
  return Object.entries(lock.packages).flatMap(([neededBy, one]) =>
    Object.entries(one.optionalDependencies ?? {})
      .filter(([name]) => lock.packages[place(name)] === undefined)
      .map(([name, version]) => ({ name, version, neededBy, dev: one.dev === true })),
  );
}

const systems = ["android", "darwin", "freebsd", "linux", "openbsd", "openharmony", "win32", "aix", "sunos", "netbsd", "wasi"];
const processors: Readonly<Record<string, string>> = {
  arm: "arm",
  arm64: "arm64",
  ia32: "ia32",
  loong64: "loong64",
  ppc64: "ppc64",
  riscv64: "riscv64",
  s390x: "s390x",
  wasm32: "wasm32",
  x64: "x64",
};

/** "@oxlint/binding-linux-arm64-musl" → linux, arm64, musl. Undefined when the name does not tell. */
export function platformOfName(name: string): { readonly os: string; readonly cpu: string; readonly libc: string | undefined } | undefined {
  const words = name.split(/[-/]/);
  const os = systems.find((system) => words.includes(system));
  const cpu = words.map((word) => processors[word]).find((found) => found !== undefined);
  if (os === undefined || cpu === undefined) return undefined;
  const libc =
    os !== "linux" ? undefined : words.some((word) => word.startsWith("musl")) ? "musl" : words.some((word) => word.startsWith("gnu")) ? "glibc" : undefined;
  return { os, cpu, libc };
}

export function completeLockfile(lock: Lockfile): Lockfile {
  const added = missingOptionalPackages(lock).map((one) => {
    const platform = platformOfName(one.name);
    if (platform === undefined || !/^\d+\.\d+\.\d+/.test(one.version))
      throw new Error(`cannot complete ${one.name}@${one.version} (needed by ${one.neededBy})`);
    const entry: LockedPackage = {
      version: one.version,
      cpu: [platform.cpu],
      ...(one.dev ? { dev: true } : {}),
      ...(platform.libc === undefined ? {} : { libc: [platform.libc] }),
      optional: true,
      os: [platform.os],
    };
    return [place(one.name), entry] as const;
  });
  const { "": own, ...others } = { ...lock.packages, ...Object.fromEntries(added) };
  const sorted = Object.fromEntries(Object.entries(others).toSorted(([a], [b]) => a.localeCompare(b, "en")));
  return { ...lock, packages: own === undefined ? sorted : { "": own, ...sorted } };
}

if (import.meta.main) {
  const file = path.resolve(import.meta.dirname, "../package-lock.json");
  const lock = JSON.parse(readFileSync(file, "utf8")) as Lockfile;
  const missing = missingOptionalPackages(lock);
  if (missing.length > 0) writeFileSync(file, `${JSON.stringify(completeLockfile(lock), null, 2)}\n`);
  console.log(`${missing.length} packages of other platforms added`);
}
