/** SLSA's provenance in both of its forms, with BuildKit's own fields. @see slsa.dev/spec/v0.2/provenance, slsa.dev/spec/v1.0/provenance */
import type { ContextSource } from "./build-facts.ts";
import type { Definition } from "./llb-definition.ts";
import type { Material } from "./materials.ts";
import { withoutCredentials } from "./materials.ts";
import type { BuildRequest } from "./request.ts";
import type { SlsaVersion } from "./attestation-options.ts";

export interface Provenance {
  readonly builderId: string;
  readonly materials: readonly Material[];
  readonly contextSource: ContextSource | undefined;
  readonly dockerfile: string;
  readonly request: BuildRequest;
  /** of the machine that built */
  readonly platform: string;
  /** the graph, in the longer form */
  readonly definition: Definition | undefined;
  /** undefined: nothing is told that differs from run to run */
  readonly run: { readonly id: string; readonly startedOn: string; readonly finishedOn: string } | undefined;
  readonly isRequestComplete: boolean;
  readonly areMaterialsComplete: boolean;
  readonly reproducible: boolean;
  /** vcs, source, layers */
  readonly metadata: Readonly<Record<string, unknown>>;
}

export const predicateTypeOf: Readonly<Record<SlsaVersion, string>> = { "v0.2": "https://slsa.dev/provenance/v0.2", v1: "https://slsa.dev/provenance/v1" };

export function slsaPredicate(provenance: Provenance, version: SlsaVersion): Readonly<Record<string, unknown>> {
  return version === "v1" ? slsa1(provenance) : slsa02(provenance);
}

function requestWords({ args, secrets, ssh, locals }: BuildRequest): object {
  return {
    frontend: "dockerfile.v0",
    ...(Object.keys(args).length === 0 ? {} : { args }),
    ...listed("secrets", secrets),
    ...listed("ssh", ssh),
    ...listed("locals", locals),
  };
}

function listed(name: string, values: readonly object[]): Record<string, readonly object[]> {
  return values.length === 0 ? {} : { [name]: values };
}

function sourceWords(source: ContextSource | undefined): object {
  return source === undefined ? {} : { uri: withoutCredentials(source.url), digest: source.digest };
}

function slsa02(provenance: Provenance): Readonly<Record<string, unknown>> {
  const { builderId, materials, contextSource, dockerfile, request, platform, definition, run, metadata } = provenance;
  return {
    builder: { id: builderId },
    buildType: "https://mobyproject.org/buildkit@v1",
    ...listed("materials", materials),
    invocation: {
      configSource: { ...sourceWords(contextSource), entryPoint: dockerfile },
      parameters: requestWords(request),
      environment: { platform },
    },
    ...(definition === undefined ? {} : { buildConfig: { llbDefinition: definition.llbDefinition, digestMapping: definition.digestMapping } }),
    metadata: {
      ...(run === undefined ? {} : { buildInvocationID: run.id, buildStartedOn: run.startedOn, buildFinishedOn: run.finishedOn }),
      completeness: { parameters: provenance.isRequestComplete, environment: true, materials: provenance.areMaterialsComplete },
      reproducible: provenance.reproducible,
      "https://mobyproject.org/buildkit@v1#metadata": metadata,
    },
  };
}

function slsa1(provenance: Provenance): Readonly<Record<string, unknown>> {
  const { builderId, materials, contextSource, dockerfile, request, platform, definition, run, metadata } = provenance;
  return {
    buildDefinition: {
      buildType: "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md",
      ...listed("resolvedDependencies", materials),
      externalParameters: { configSource: { ...sourceWords(contextSource), path: dockerfile }, request: requestWords(request) },
      internalParameters: {
        ...(definition === undefined ? {} : { buildConfig: { llbDefinition: definition.llbDefinition, digestMapping: definition.digestMapping } }),
        builderPlatform: platform,
      },
    },
    runDetails: {
      builder: { id: builderId },
      metadata: {
        ...(run === undefined ? {} : { invocationId: run.id, startedOn: run.startedOn, finishedOn: run.finishedOn }),
        buildkit_metadata: metadata,
        ...(provenance.reproducible ? { buildkit_reproducible: true } : {}),
        buildkit_completeness: { request: provenance.isRequestComplete, resolvedDependencies: provenance.areMaterialsComplete },
      },
    },
  };
}
