/** The bills that a build is asked for: what is to be looked into, by whom, and what came of it. */
import { hostPlatform } from "../../oci/platform.ts";
import type { Vertex } from "../../graph/vertex.ts";
import type { Solver } from "../../solver/solver.ts";
import type { BuildSurroundings } from "../build/build-image.ts";
import type { LoweredPlatform } from "../build/lower-build.ts";
import { resolveBase, type PinImage } from "../build/resolve-bases.ts";
import { scannerName, type SbomRequest } from "./attestation-options.ts";
import { commandOf, inventoryScan, scannerScan, scanTargets, type PlatformScan, type Scanner, type ScanTarget } from "./scan-build.ts";

interface ScanSurroundings extends BuildSurroundings {
  readonly signal: AbortSignal;
  readonly contextId: string;
  readonly noCache: boolean;
  /** which image the scanner's name has to mean */
  readonly pin: PinImage | undefined;
}

export class BuildScans {
  readonly #surroundings: ScanSurroundings;
  readonly #platforms: readonly LoweredPlatform[];
  readonly #targets: readonly (readonly ScanTarget[])[];
  readonly #scanner: Scanner | undefined;

  private constructor(surroundings: ScanSurroundings, platforms: readonly LoweredPlatform[], scanner: Scanner | undefined) {
    this.#surroundings = surroundings;
    this.#platforms = platforms;
    this.#targets = platforms.map((platform) => scanTargets(platform, surroundings.contextId));
    this.#scanner = scanner;
  }

  /** The scanner's image is there before the build begins. Fails as base images do, and with SBOM_SCANNER (failed_precondition). */
  static async plan({ scanner }: SbomRequest, surroundings: ScanSurroundings, platforms: readonly LoweredPlatform[]): Promise<BuildScans> {
    return new BuildScans(surroundings, platforms, scanner === undefined ? undefined : await openScanner(scanner, surroundings));
  }

  get scanner(): Scanner | undefined {
    return this.#scanner;
  }

  /** What has to be solved for them. */
  get roots(): readonly Vertex[] {
    return this.#targets.flatMap((targets) => targets.map(({ vertex }) => vertex));
  }

  /** Platform by platform. */
  async run(solver: Solver): Promise<readonly PlatformScan[]> {
    const { store, noCache } = this.#surroundings;
    const scanner = this.#scanner;
    const scans = this.#platforms.map(async ({ platform }, at) => {
      const targets = this.#targets[at] ?? [];
      if (scanner === undefined) return await inventoryScan(solver, targets);
      return await scannerScan(store, solver, { targets, scanner, platform, ignoreCache: noCache });
    });
    return await Promise.all(scans);
  }
}

async function openScanner({ image, parameters }: NonNullable<SbomRequest["scanner"]>, surroundings: ScanSurroundings): Promise<Scanner> {
  const name = scannerName(image);
  const need = { reference: name, written: undefined, platform: hostPlatform(), lines: undefined, place: { start: 0, end: 0 }, stages: [] };
  const scanner = { name, image: await resolveBase({ ...surroundings, pull: false, showPlatform: false }, need), parameters };
  commandOf(scanner);
  return scanner;
}
