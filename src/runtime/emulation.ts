/** Foreign architectures that the kernel runs through qemu. Pure. */

const platformOf: Readonly<Record<string, string>> = {
  aarch64: "linux/arm64",
  arm: "linux/arm/v7",
  i386: "linux/386",
  loongarch64: "linux/loong64",
  mips64el: "linux/mips64le",
  ppc64le: "linux/ppc64le",
  riscv64: "linux/riscv64",
  s390x: "linux/s390x",
  x86_64: "linux/amd64",
};

/** From the names of enabled binfmt_misc entries: "qemu-aarch64" → "linux/arm64". */
export function emulatedPlatforms(entries: readonly string[]): string[] {
  return entries.flatMap((entry) => platformOf[entry.replace(/^qemu-/, "")] ?? []).sort();
}
