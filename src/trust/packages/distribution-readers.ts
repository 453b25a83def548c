/** Readers of what distributions keep of themselves. */
import { parseApkInstalled } from "./apk.ts";
import { parseCopyright } from "./copyright.ts";
import { parseDpkgList, parseDpkgStatus } from "./dpkg.ts";
import { alpineReleases, parseOsRelease } from "./os-release.ts";
import { baseName, type PackageReader } from "./package-reader.ts";

const mebibyte = 2 ** 20;

export const distributionReaders: readonly PackageReader[] = [
  {
    names: ["os-release"],
    wants: (path) => path === "etc/os-release" || path === "usr/lib/os-release",
    maxBytes: mebibyte,
    read: (bytes) => {
      const distribution = parseOsRelease(bytes.toString());
      return distribution === undefined ? {} : { distribution };
    },
  },
  {
    names: ["repositories"],
    wants: (path) => path === "etc/apk/repositories",
    maxBytes: mebibyte,
    read: (bytes) => ({ repositories: alpineReleases(bytes.toString()) }),
  },
  {
    names: ["status"],
    wants: (path) => path === "var/lib/dpkg/status",
    maxBytes: 32 * mebibyte,
    read: (bytes) => ({ packages: parseDpkgStatus(bytes.toString()) }),
  },
  {
    directories: ["var/lib/dpkg/status.d/"],
    wants: (path) => !path.endsWith(".md5sums"),
    maxBytes: 16 * mebibyte,
    read: (bytes) => ({ packages: parseDpkgStatus(bytes.toString()) }),
  },
  {
    directories: ["var/lib/dpkg/info/"],
    wants: (path) => path.endsWith(".list"),
    maxBytes: 16 * mebibyte,
    read: (bytes, path) => ({ owned: [parseDpkgList(baseName(path), bytes.toString())] }),
  },
  {
    names: ["copyright"],
    wants: (path) => /^usr\/share\/doc\/[^/]+\/copyright$/.test(path),
    maxBytes: 8 * mebibyte,
    read: (bytes, path) => {
      const names = parseCopyright(bytes.toString());
      return names.length === 0 ? {} : { licences: { [path.split("/")[3] ?? ""]: names } };
    },
  },
  {
    names: ["installed"],
    wants: (path) => path === "lib/apk/db/installed" || path === "usr/lib/apk/db/installed",
    maxBytes: 32 * mebibyte,
    read: (bytes) => {
      const installed = parseApkInstalled(bytes.toString());
      return { packages: installed.map(({ found }) => found), owned: installed.map(({ found, paths }) => ({ owner: found.name, paths })) };
    },
  },
];
