/** The provenance of one platform's image, from the graph that made it. */
import { randomBytes } from "node:crypto";
import { dirname } from "node:path";
import { valueWithoutUrlCredentials, withoutUrlCredentials } from "../../base/url-credentials.ts";
import { listVertices, type Vertex } from "../../graph/vertex.ts";
import type { Descriptor } from "../../oci/manifest.ts";
import { formatPlatform, hostPlatform } from "../../oci/platform.ts";
import type { BuildOptions } from "../api.ts";
import type { PlatformResult } from "../build/exportable.ts";
import type { ProvenanceRequest } from "./attestation-options.ts";
import type { BuildFacts } from "./build-facts.ts";
import { definitionOf, type Definition } from "./llb-definition.ts";
import { materialsOf } from "./materials.ts";
import { requestOf, withoutValues } from "./request.ts";
import { slsaPredicate, type Provenance } from "./slsa.ts";
import { readVcs } from "./vcs.ts";

export interface ProvenanceInput {
  readonly options: BuildOptions;
  readonly facts: BuildFacts;
  readonly result: PlatformResult;
  readonly asked: ProvenanceRequest;
  readonly nowMs: number;
}

/** `layers`: of the image's manifest; they are told in the longer form, where no layers were squashed. */
export async function createProvenance(input: ProvenanceInput, layers: readonly Descriptor[]): Promise<Readonly<Record<string, unknown>>> {
  const { options, facts, result, asked } = input;
  const { root } = result.lowered;
  const vertices = root === undefined ? [] : listVertices([root]);
  const materials = materialsOf(vertices, facts);
  const whole = requestOf(options, vertices, facts);
  const { request, isComplete } = asked.mode === "min" ? withoutValues(whole) : { request: whole, isComplete: true };
  const definition =
    asked.mode === "max" && root !== undefined
      ? definitionOf(root, { excluded: facts.excluded, pull: options.pull === true, contextUrl: facts.contextSource?.url })
      : undefined;
  const provenance: Provenance = {
    builderId: asked.builderId,
    materials,
    contextSource: facts.contextSource,
    dockerfile: facts.dockerfile.name,
    request,
    platform: formatPlatform(hostPlatform()),
    definition,
    run: runOf(input),
    isRequestComplete: isComplete,
    areMaterialsComplete: whole.locals.length === 0 && materials.every(({ digest }) => digest !== undefined),
    reproducible: asked.reproducible,
    metadata: {
      ...(await vcsOf(input)),
      ...(definition === undefined ? {} : { source: sourceOf(facts, definition), layers: layersOf(result, definition, layers) }),
    },
  };
  return valueWithoutUrlCredentials(slsaPredicate(provenance, asked.version));
}

/** An image's digest must not depend on when it was built: neither where nobody asked, nor where the clock stands still. */
function runOf({ facts, asked, result, nowMs }: ProvenanceInput): Provenance["run"] {
  if (asked.byDefault || (result.lowered.epoch ?? result.clockSeconds) !== undefined) return undefined;
  return { id: randomId(), startedOn: new Date(facts.startedMs).toISOString(), finishedOn: new Date(nowMs).toISOString() };
}

/** As BuildKit makes them: 25 letters and digits. */
function randomId(): string {
  return BigInt(`0x${randomBytes(17).toString("hex")}`)
    .toString(36)
    .slice(-25)
    .padStart(25, "0");
}

async function vcsOf({ options, facts }: ProvenanceInput): Promise<{ readonly vcs?: object }> {
  const asked = options.vcs ?? "revision";
  if (asked === "none" || facts.directory === undefined) return {};
  const dockerfile = options.dockerfile?.kind === "path" ? dirname(options.dockerfile.path) : facts.directory;
  const vcs = await readVcs({ context: facts.directory, dockerfile, checkDirty: asked === "dirty" });
  return Object.keys(vcs).length === 0 ? {} : { vcs };
}

function sourceOf({ dockerfile }: BuildFacts, { locations }: Definition): object {
  return {
    locations,
    infos: [{ filename: dockerfile.name, language: "Dockerfile", data: Buffer.from(withoutUrlCredentials(dockerfile.text)).toString("base64") }],
  };
}

/** What each step left that is in the image: all layers up to its own. */
function layersOf({ lowered, chain }: PlatformResult, { digestMapping }: Definition, layers: readonly Descriptor[]): object {
  if (layers.length !== chain.length) return {};
  const made = lowered.image.history.flatMap(({ vertex }) => (vertex === undefined ? [] : [vertex]));
  if (lowered.baseChain.length + made.length !== chain.length) return {};
  const bare = layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size }));
  const base = listVertices(lowered.root === undefined ? [] : [lowered.root]).find(isImage(lowered.baseChain.join()));
  const counts: readonly (readonly [Vertex | undefined, number])[] = [
    [base, lowered.baseChain.length],
    ...made.map((vertex, at) => [vertex, lowered.baseChain.length + at + 1] as const),
  ];
  return Object.fromEntries(
    counts.flatMap(([vertex, count]) => {
      const step = vertex === undefined ? undefined : digestMapping[vertex.digest];
      return step === undefined || count === 0 ? [] : [[`${step}:0`, [bare.slice(0, count)]]];
    }),
  );
}

function isImage(chain: string): (vertex: Vertex) => boolean {
  return ({ op }) => op.type === "image" && op.chain.join() === chain;
}
