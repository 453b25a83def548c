/** What `--metadata-file` tells of a build's provenance, as buildx does: for several platforms each under its own name. */
import { formatPlatform } from "../../oci/platform.ts";
import type { ExportInput } from "../build/exportable.ts";
import { createProvenance } from "./create-provenance.ts";

const key = "buildx.build.provenance";

export async function metadataProvenance({ options, facts, results, targets }: ExportInput): Promise<Readonly<Record<string, unknown>>> {
  const asked = { mode: "max", version: "v0.2", builderId: "", reproducible: false, asReferrer: false, byDefault: false } as const;
  const told: Record<string, unknown> = {};
  for (const result of results) {
    const { buildConfig, metadata, ...short } = await createProvenance({ options, facts, result, asked, nowMs: Date.now() }, []);
    const whole = options.metadataProvenance === "max" ? { ...short, ...(buildConfig === undefined ? {} : { buildConfig }), metadata } : short;
    told[targets.several ? `${key}/${formatPlatform(result.platform)}` : key] = whole;
  }
  return told;
}
