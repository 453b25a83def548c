/**
 * Platforms as `os/arch[/variant]`, normalised as containerd does: `x86_64` → amd64, `aarch64` and `arm64/v8` → arm64,
 * `armhf` → arm/v7, a bare `arm64` → linux/arm64, a bare `linux` → this machine's architecture.
 * @see image-spec image-index.md
 */
import { SlipwayError } from "../base/errors.ts";
import { goQuote } from "../base/go-text.ts";

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly "os.version"?: string;
  readonly "os.features"?: readonly string[];
}

const knownOs = new Set([
  "aix",
  "android",
  "darwin",
  "dragonfly",
  "freebsd",
  "hurd",
  "illumos",
  "ios",
  "js",
  "linux",
  "nacl",
  "netbsd",
  "openbsd",
  "plan9",
  "solaris",
  "windows",
  "zos",
  "wasip1",
]);
const knownArchitectures = new Set([
  "386",
  "amd64",
  "amd64p32",
  "arm",
  "armbe",
  "arm64",
  "arm64be",
  "ppc64",
  "ppc64le",
  "loong64",
  "mips",
  "mipsle",
  "mips64",
  "mips64le",
  "mips64p32",
  "mips64p32le",
  "ppc",
  "riscv",
  "riscv64",
  "s390",
  "s390x",
  "sparc",
  "sparc64",
  "wasm",
]);

function normalizeArchitecture(architecture: string, variant: string): { architecture: string; variant: string } {
  const arch = architecture.toLowerCase();
  const v = variant.toLowerCase();
  switch (arch) {
    case "i386":
      return { architecture: "386", variant: "" };
    case "x86_64":
    case "x86-64":
    case "amd64":
      return { architecture: "amd64", variant: v === "v1" ? "" : v };
    case "aarch64":
    case "arm64":
      return { architecture: "arm64", variant: v === "8" || v === "v8" || v === "8.0" || v === "v8.0" ? "" : v === "9" ? "v9" : v };
    case "armhf":
      return { architecture: "arm", variant: "v7" };
    case "armel":
      return { architecture: "arm", variant: "v6" };
    case "arm":
      return { architecture: "arm", variant: v === "" || v === "7" ? "v7" : /^[568]$/.test(v) ? `v${v}` : v };
    default:
      return { architecture: arch, variant: v };
  }
}

function makePlatform(os: string, architecture: string, variant: string): Platform {
  const n = normalizeArchitecture(architecture, variant);
  const normalOs = os.toLowerCase() === "macos" ? "darwin" : os.toLowerCase();
  return n.variant === "" ? { os: normalOs, architecture: n.architecture } : { os: normalOs, architecture: n.architecture, variant: n.variant };
}

export function normalizePlatform(platform: Platform): Platform {
  const n = makePlatform(platform.os, platform.architecture, platform.variant ?? "");
  const rest: { "os.version"?: string; "os.features"?: readonly string[] } = {};
  if (platform["os.version"] !== undefined) rest["os.version"] = platform["os.version"];
  if (platform["os.features"] !== undefined) rest["os.features"] = platform["os.features"];
  return { ...n, ...rest };
}

/** The platform this program runs on; `arch` is Node's word (`x64`, `arm64`, `ia32`, …). */
export function hostPlatform(arch: string = process.arch): Platform {
  const names: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386", ppc64: "ppc64le", mipsel: "mipsle" };
  return makePlatform("linux", names[arch] ?? arch, "");
}

function invalid(text: string, why: string): SlipwayError {
  return new SlipwayError("invalid_argument", "INVALID_PLATFORM", `${why}: invalid argument`, { got: text });
}

const osPattern = /^([A-Za-z0-9_-]+)(?:\(([A-Za-z0-9_.%-]*)((?:\+[A-Za-z0-9_.%-]+)*)\))?$/;
const componentPattern = /^[A-Za-z0-9_.-]+$/;

function checkComponent(text: string, part: string, index: number): void {
  const quoted = goQuote(part);
  if (index === 0 && !osPattern.test(part)) {
    throw invalid(text, `${quoted} is an invalid OS component of ${goQuote(text)}: OSAndVersion specifier component must match ${goQuote(osPattern.source)}`);
  }
  if (index > 0 && !componentPattern.test(part)) {
    throw invalid(text, `${quoted} is an invalid component of ${goQuote(text)}: platform specifier component must match ${goQuote(componentPattern.source)}`);
  }
}

/** What is behind the third slash is one part. */
function partsOf(text: string): readonly string[] {
  const parts = text.split("/");
  return parts.length > 4 ? [...parts.slice(0, 3), parts.slice(3).join("/")] : parts;
}

/** Fails with INVALID_PLATFORM (invalid_argument), in containerd's words. */
export function parsePlatform(text: string): Platform {
  if (text.includes("*")) throw invalid(text, `${goQuote(text)}: wildcards not yet supported`);
  const parts = partsOf(text);
  for (const [index, part] of parts.entries()) checkComponent(text, part, index);
  if (parts.length > 3) throw invalid(text, `${goQuote(text)}: cannot parse platform specifier`);
  const [first = "", second, third = ""] = parts;
  if (second === undefined) {
    if (knownOs.has(first.toLowerCase()) || first.toLowerCase() === "macos") return makePlatform(first, hostPlatform().architecture, "");
    const p = makePlatform("linux", first, "");
    if (knownArchitectures.has(p.architecture)) return p;
    throw invalid(text, `${goQuote(text)}: unknown operating system or architecture`);
  }
  return makePlatform(first, second, third);
}

export function formatPlatform(platform: Platform): string {
  const base = `${platform.os}/${platform.architecture}`;
  return platform.variant === undefined || platform.variant === "" ? base : `${base}/${platform.variant}`;
}

/** The platform of an image's config, without what else it says. */
export function platformFrom({ os, architecture, variant }: Pick<Platform, "os" | "architecture"> & { readonly variant?: string | undefined }): Platform {
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

function armVariant(variant: string | undefined): number {
  return Number(/^v(\d+)/.exec(variant ?? "v7")?.[1] ?? 7);
}

/**
 * How well a machine that wants `want` is served by `have`: 0 is exact, larger is worse, undefined is not at all.
 * arm/v7 runs v6 and v5; arm64 runs arm as a last resort; amd64/v3 runs v2 and v1.
 */
export function platformDistance(want: Platform, have: Platform): number | undefined {
  const w = normalizePlatform(want);
  const h = normalizePlatform(have);
  if (w.os !== h.os) return undefined;
  if (w.architecture === h.architecture) {
    if ((w.variant ?? "") === (h.variant ?? "")) return 0;
    if (w.architecture === "arm") {
      const d = armVariant(w.variant) - armVariant(h.variant);
      return d >= 0 ? d : undefined;
    }
    if (w.architecture === "amd64") {
      const d = Number((w.variant ?? "v1").slice(1)) - Number((h.variant ?? "v1").slice(1));
      return d >= 0 ? d : undefined;
    }
    return h.variant === undefined ? 1 : undefined;
  }
  if (w.architecture === "arm64" && h.architecture === "arm") return 100 + (8 - armVariant(h.variant));
  return undefined;
}
