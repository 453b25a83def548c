/** Which of two versions is newer, by the rules of those who number them. */
import { compare as comparePep440, valid as isPep440 } from "@renovatebot/pep440";
import type { PackageType } from "../packages/package.ts";
import { compareApkVersions } from "./apk-version.ts";
import { compareDpkgVersions } from "./dpkg-version.ts";
import { compareComposerVersions, compareGemVersions, compareGoVersions, compareNugetVersions, compareSemanticVersions } from "./language-versions.ts";
import { compareMavenVersions } from "./maven-version.ts";
import { compareRpmVersions } from "./rpm-version.ts";

/** Below zero where `a` is older. Any two texts have an order, and it is one: what is no version comes first. */
export type CompareVersions = (a: string, b: string) => number;

function comparePythonVersions(a: string, b: string): number {
  const [isFirst, isSecond] = [isPep440(a) !== null, isPep440(b) !== null];
  if (isFirst && isSecond) return comparePep440(a, b);
  if (isFirst !== isSecond) return isFirst ? 1 : -1;
  return a === b ? 0 : a < b ? -1 : 1;
}

export const compareVersions: Readonly<Record<PackageType, CompareVersions>> = {
  deb: compareDpkgVersions,
  rpm: compareRpmVersions,
  apk: compareApkVersions,
  npm: compareSemanticVersions,
  cargo: compareSemanticVersions,
  golang: compareGoVersions,
  pypi: comparePythonVersions,
  maven: compareMavenVersions,
  gem: compareGemVersions,
  nuget: compareNugetVersions,
  composer: compareComposerVersions,
};
