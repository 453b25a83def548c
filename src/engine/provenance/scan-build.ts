/**
 * Bills of what a build made and of what it was made from: by the images' own inventory, or by a scanner's image that is run over them as
 * BuildKit runs it. @see https://github.com/moby/buildkit/blob/master/docs/attestations/sbom-protocol.md
 */
import { readFileSync } from "node:fs";
import { SlipwayError } from "../../base/errors.ts";
import { parseJsonObject, type Json, type JsonObject } from "../../oci/bounded-json.ts";
import { formatPlatform, hostPlatform, type Platform } from "../../oci/platform.ts";
import type { ResolvedImage } from "../../graph/lowering.ts";
import type { ExecMount, ExecOp } from "../../graph/op.ts";
import { createVertex, plainMetadata, scratchVertex, type Vertex } from "../../graph/vertex.ts";
import type { Solver } from "../../solver/solver.ts";
import type { Chain, Store } from "../../store/index.ts";
import type { LoweredPlatform } from "../build/lower-build.ts";

const [sourceDirectory, outDirectory] = ["/run/src", "/run/out/"] as const;
const spdx = "https://spdx.dev/Document";
const maxStatementBytes = 128 * 2 ** 20;
const core = "sbom";

export interface ScanTarget {
  /** "sbom" of the result, "sbom-build" of a stage, "sbom-context" */
  readonly name: string;
  readonly vertex: Vertex;
}

/** The result first, then the others by name. */
export function scanTargets({ lowered }: LoweredPlatform, contextId: string): readonly [ScanTarget, ...ScanTarget[]] {
  const { root, scanned } = lowered;
  const empty = scratchVertex(contextId);
  const extras = scanned.map(({ name, root: stage }) => ({ name: `${core}-${name}`, vertex: stage ?? empty }));
  return [{ name: core, vertex: root ?? empty }, ...extras.sort((a, b) => (a.name < b.name ? -1 : 1))];
}

export interface Scanner {
  /** full, with its tag */
  readonly name: string;
  readonly image: ResolvedImage;
  /** further fields of the request, by name: `BUILDKIT_SCAN_name` for it */
  readonly parameters: Readonly<Record<string, string>>;
}

/** What a scanner says: one document for each file that it wrote. */
export interface ScannedBill {
  /** of the file, without `.spdx.json` */
  readonly name: string;
  readonly predicate: Json;
  /** whom it is about besides, or instead of, the image; undefined: the image */
  readonly subjects: readonly JsonObject[] | undefined;
}

export type PlatformScan =
  | { readonly by: "inventory"; readonly extras: readonly { readonly name: string; readonly chain: Chain }[] }
  | { readonly by: "scanner"; readonly bills: readonly ScannedBill[] };

export async function inventoryScan(solver: Solver, [, ...extras]: readonly ScanTarget[]): Promise<PlatformScan> {
  const solved = extras.map(async ({ name, vertex }) => {
    const result = await solver.solve(vertex);
    return { name, chain: result.kind === "layers" ? result.chain : [] };
  });
  return { by: "inventory", extras: await Promise.all(solved) };
}

/** Fails with SBOM_SCANNER (failed_precondition) and as steps do. */
export async function scannerScan(
  store: Store,
  solver: Solver,
  {
    targets,
    scanner,
    platform,
    ignoreCache,
  }: { readonly targets: readonly ScanTarget[]; readonly scanner: Scanner; readonly platform: Platform; readonly ignoreCache: boolean },
): Promise<PlatformScan> {
  const result = await solver.solve(scanVertex(targets, scanner, platform, ignoreCache));
  const view = await store.materializer.readableView(result.kind === "layers" ? result.chain : []);
  const directory = outDirectory.slice(1, -1);
  const bills = view.list(directory).map((file) => {
    const node = view.lookup(`${directory}/${file}`);
    if (node?.type !== "file" || node.size > maxStatementBytes) throw unreadable(`${file} is no file of at most ${maxStatementBytes} bytes`);
    return readStatement(file, node.diskPath === undefined ? Buffer.alloc(0) : readFileSync(node.diskPath));
  });
  return { by: "scanner", bills: bills.sort((a, b) => Number(b.name === core) - Number(a.name === core)) };
}

function unreadable(why: string): SlipwayError {
  return new SlipwayError("failed_precondition", "SBOM_SCANNER", `cannot decode in-toto statement: ${why}`, { reason: why });
}

function readStatement(file: string, bytes: Buffer): ScannedBill {
  let statement: JsonObject;
  try {
    statement = parseJsonObject(bytes, file, { maxBytes: maxStatementBytes, maxDepth: 128 });
  } catch (error) {
    throw unreadable(error instanceof Error ? error.message : String(error));
  }
  const { predicateType, predicate = null, subject } = statement;
  if (predicateType !== spdx) {
    const type = typeof predicateType === "string" ? predicateType : "";
    const message = `bundle entry ${type} does not match required predicate type ${spdx}`;
    throw new SlipwayError("failed_precondition", "SBOM_SCANNER", message, { file, predicateType: type });
  }
  const subjects = Array.isArray(subject)
    ? subject.filter((one: Json): one is JsonObject => typeof one === "object" && one !== null && !Array.isArray(one))
    : [];
  const isOfImage = subjects.length === 0 || subjects.some(({ name }) => name === "_");
  return { name: file.replace(/(?:\.spdx)?\.json$/, ""), predicate, subjects: isOfImage ? undefined : subjects };
}

/** Fails with SBOM_SCANNER (failed_precondition) where the image says nothing to run. */
export function commandOf({ image, name }: Scanner): readonly string[] {
  const { Entrypoint, Cmd } = image.config.config;
  const args = [...(Entrypoint ?? []), ...(Cmd ?? [])];
  if (args.length === 0) throw new SlipwayError("failed_precondition", "SBOM_SCANNER", `scanner ${name} does not have cmd`, { scanner: name });
  return args;
}

function scanVertex(targets: readonly ScanTarget[], scanner: Scanner, platform: Platform, ignoreCache: boolean): Vertex {
  const { name, parameters } = scanner;
  const { reference, config, chain } = scanner.image;
  const slot = (part: string): string => `scan|${name}|${formatPlatform(platform)}|${part}`;
  const from = createVertex(
    { type: "image", reference, platform: hostPlatform(), chain },
    [],
    plainMetadata({ name: `docker-image://${name}`, slot: slot("from"), description: `scanner ${name}` }),
  );
  const actions = [
    { type: "rm", path: outDirectory.slice(0, -1), allowNotFound: true },
    { type: "mkdir", path: outDirectory.slice(0, -1), chown: undefined },
  ] as const;
  const prepared = createVertex(
    { type: "file", scratchBase: false, epoch: undefined, actions },
    [from],
    plainMetadata({ name: `[internal] make ${outDirectory} for the scanner`, slot: slot("out"), description: "make the scanner's directory" }),
  );
  const [, ...extras] = targets;
  const placeOf = ({ name }: ScanTarget): string => `${sourceDirectory}/${name === core ? "core" : "extras"}/${name}`;
  const mounts: readonly ExecMount[] = targets.map((target, at) => ({ type: "bind", input: at + 1, source: "/", target: placeOf(target), readonly: true }));
  const env = [
    ...(config.config.Env ?? []),
    `BUILDKIT_SCAN_DESTINATION=${outDirectory}`,
    `BUILDKIT_SCAN_SOURCE=${sourceDirectory}/core/${core}`,
    ...(extras.length === 0 ? [] : [`BUILDKIT_SCAN_SOURCE_EXTRAS=${sourceDirectory}/extras`]),
    ...Object.entries(parameters).map(([name, value]) => `BUILDKIT_SCAN_${name}=${value}`),
  ];
  const op: ExecOp = {
    type: "exec",
    scratchBase: false,
    args: commandOf(scanner),
    env,
    cwd: config.config.WorkingDir === undefined || config.config.WorkingDir === "" ? "/" : config.config.WorkingDir,
    user: "",
    mounts: [...mounts, { type: "tmpfs", target: "/tmp", sizeBytes: undefined }],
    network: "default",
    security: "sandbox",
    extraHosts: [],
    hostname: "buildkitsandbox",
    shmSizeBytes: undefined,
    ulimits: [],
    platform: hostPlatform(),
    epoch: undefined,
    proxyEnv: [],
  };
  const step = `[${formatPlatform(platform)}] generating sbom using ${name}`;
  const metadata = plainMetadata({ name: step, slot: slot("run"), description: `scan by ${name}`, ignoreCache });
  return createVertex(op, [prepared, ...targets.map(({ vertex }) => vertex)], metadata);
}
