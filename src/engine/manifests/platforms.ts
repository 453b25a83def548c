/** The systems and architectures that Docker lets a manifest list name. */
import { SlipwayError } from "../../base/errors.ts";

const known: Readonly<Record<string, readonly string[]>> = {
  darwin: ["386", "amd64", "arm", "arm64"],
  dragonfly: ["amd64"],
  freebsd: ["386", "amd64", "arm"],
  linux: ["386", "amd64", "arm", "arm64", "mips64", "mips64le", "ppc64le", "riscv64", "s390x"],
  netbsd: ["386", "amd64", "arm"],
  openbsd: ["386", "amd64", "arm"],
  plan9: ["386", "amd64"],
  solaris: ["amd64"],
  windows: ["386", "amd64"],
};

/** Fails with MANIFEST_PLATFORM (invalid_argument), in Docker's words. */
export function checkListPlatform(os: string, architecture: string): void {
  if (known[os]?.includes(architecture) === true) return;
  const message = `manifest entry for image has unsupported os/arch combination: ${os}/${architecture}`;
  throw new SlipwayError("invalid_argument", "MANIFEST_PLATFORM", message, { os, architecture, bare: true });
}
