/** A distribution without one package: its database was taken away or is of a kind that is not read here, and what is in the image is not known. */
import type { Distribution, Omission } from "./package.ts";

const databases: readonly { readonly families: readonly string[]; readonly path: string }[] = [
  { families: ["alpine", "wolfi", "chainguard"], path: "lib/apk/db/installed" },
  { families: ["debian", "ubuntu"], path: "var/lib/dpkg/status" },
  { families: ["rhel", "fedora", "centos", "suse", "opensuse", "amzn", "mageia"], path: "var/lib/rpm" },
];

/** What cannot have been looked into in an image of this distribution. */
export function missingDatabase(distribution: Distribution | undefined): Omit<Omission, "layer"> | undefined {
  if (distribution === undefined) return undefined;
  const { id, idLike, name } = distribution;
  const path = databases.find(({ families }) => [id, ...idLike].some((one) => families.includes(one)))?.path;
  if (path === undefined) return { path: "", reason: `the packages of ${name} are in no database that is known here` };
  return { path, reason: `it is not there, or has no packages, though the image is ${name}: nothing tells what is in it` };
}
