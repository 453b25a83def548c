/** What the exporters share: the solved platforms, the images they make, what an output answers. */
import type { PolicyGate } from "../policy-gate.ts";
import type { ProgressSink } from "../../base/progress.ts";
import type { Digest } from "../../oci/digest.ts";
import type { Descriptor } from "../../oci/manifest.ts";
import type { Platform } from "../../oci/platform.ts";
import type { RegistryClient } from "../../registry/index.ts";
import type { BuildOrigin, Chain, Store } from "../../store/index.ts";
import type { AttestedImage, BuildOptions, BuildOutput, BuildWarning } from "../api.ts";
import { parseTagName } from "../image-names.ts";
import type { AttestationRequests } from "../provenance/attestation-options.ts";
import type { BuildFacts } from "../provenance/build-facts.ts";
import type { PlatformScan } from "../provenance/scan-build.ts";
import type { AttestImage } from "../provenance/attest-build.ts";
import type { ParsedAnnotation } from "./annotations.ts";
import type { Lowered } from "./lower-build.ts";
import type { TargetPlatforms } from "./target-platforms.ts";

/** What was solved for one platform. */
export interface PlatformResult {
  readonly platform: Platform;
  readonly lowered: Lowered;
  readonly chain: Chain;
  /** creation times of layers by their vertex, milliseconds */
  readonly times: ReadonlyMap<Digest, number>;
  /** seconds since 1970, whenever it was built; undefined: the times above are those of layers and image */
  readonly clockSeconds: number | undefined;
}

export interface ExportInput {
  readonly store: Store;
  /** for outputs that are pushed */
  readonly client: () => Promise<RegistryClient>;
  readonly onProgress: ProgressSink;
  readonly gate?: PolicyGate;
  readonly options: BuildOptions;
  readonly results: readonly PlatformResult[];
  readonly targets: TargetPlatforms;
  readonly tags: readonly string[];
  readonly warnings: readonly BuildWarning[];
  readonly signal: AbortSignal;
  /** what the image's config is to say of its cache */
  readonly inlineCache: (chain: Chain) => string | undefined;
  readonly facts: BuildFacts;
  readonly attestations: AttestationRequests;
  /** what was looked into for the bills, platform by platform; undefined where there are none */
  readonly scans: readonly PlatformScan[] | undefined;
}

/** One platform's image, ready to be written. */
export interface BuiltImage {
  readonly platform: Platform;
  readonly config: Buffer;
  readonly chain: Chain;
  /** so many layers of the chain are the base's */
  readonly baseLayers: number;
  readonly origin: BuildOrigin;
}

/** What outputs are made from. */
export interface Exportable extends ExportInput {
  readonly images: readonly BuiltImage[];
  readonly annotations: readonly ParsedAnnotation[];
  /** an index stands for the images: of several platforms, or because something is said of it */
  readonly asIndex: boolean;
  /** what is said of the images, where something is */
  readonly attest?: AttestImage;
  /** those of the requests that hold for the output */
  readonly requests?: AttestationRequests;
}

/** Of an output that keeps or writes an image. */
export interface Exported {
  /** of the image's config as it was written or pushed; an index has none */
  readonly config: Digest | undefined;
  /** the image's id; of several platforms that of the index */
  readonly id: Digest;
  /** what the archive's index.json names */
  readonly manifest: Descriptor | undefined;
  /** what was pushed with it */
  readonly attested?: readonly AttestedImage[];
}

/** `name=` of an output adds to the tags of the command line. Fails with INVALID_REFERENCE. */
export function namesOf(tags: readonly string[], outputs: readonly BuildOutput[]): readonly string[] {
  const names = outputs.flatMap((output) => ("attributes" in output ? (output.attributes["name"]?.split(",") ?? []) : []));
  return [...new Set([...tags, ...names.filter((name) => name !== "").map(parseTagName)])];
}
