/** Which policies hold here, and which of other programs' files do not: who relied on those finds out before an image gets in. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { homeDirectory } from "../../base/home-directory.ts";
import type { DoctorFinding } from "../api.ts";

const maxBytes = 1 << 20;
/** of podman, skopeo, buildah and CRI-O; what says anything but this demands something */
const demanding = /"type"\s*:\s*"(?!insecureAcceptAnything")/;

export interface PolicyFile {
  readonly path: string;
  readonly exists: boolean;
}

function textOf(path: string): string | undefined {
  try {
    const found = statSync(path);
    return found.isFile() && found.size <= maxBytes ? readFileSync(path, "utf8") : undefined;
  } catch {
    return undefined;
  }
}

/** Files by which other programs refuse images. `system`: where the machine's configuration lies. */
function othersFiles(env: Readonly<Record<string, string | undefined>>, system: string): readonly string[] {
  const given = env["XDG_CONFIG_HOME"] ?? "";
  const config = given === "" ? join(homeDirectory(env), ".config") : given;
  const containers = [join(config, "containers/policy.json"), join(system, "containers/policy.json")].filter((path) => demanding.test(textOf(path) ?? ""));
  const notation = [join(config, "notation/trustpolicy.json"), join(config, "notation/trustpolicy.oci.json")].filter((path) => textOf(path) !== undefined);
  return [...containers, ...notation];
}

export function policiesFinding(files: readonly PolicyFile[], env: Readonly<Record<string, string | undefined>>, system = "/etc"): DoctorFinding {
  const name = "policies";
  const here = files.filter(({ exists }) => exists).map(({ path }) => path);
  if (here.length > 0) return { name, status: "ok", message: here.join(", "), remedy: undefined };
  const [first, ...more] = othersFiles(env, system);
  if (first === undefined) return { name, status: "ok", message: "none: every image may be used", remedy: undefined };
  return {
    name,
    status: "warning",
    message: `none: what ${[first, ...more].join(" and ")} ${more.length === 0 ? "demands" : "demand"} of images holds for other programs only`,
    remedy: `slipway policy import -o ${files.at(-1)?.path ?? "policy.json"} ${first}`,
  };
}
