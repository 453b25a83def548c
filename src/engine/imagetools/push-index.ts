/** What `imagetools create` made, into the registries of its tags. */
import type { Digest } from "../../oci/digest.ts";
import { formatReference, parseReference, withDefaultTag, type Reference } from "../../oci/reference.ts";
import type { RegistryClient } from "../../registry/index.ts";
import { runStepOf, type Step } from "../build/progress-steps.ts";
import { bringManifest, isSameRepository } from "../copy/copy-within.ts";
import type { CopiedEntry, CreateIndexOptions } from "../transfer-api.ts";
import type { CreatedIndex } from "./create-index.ts";

export async function pushIndex(
  client: RegistryClient,
  created: CreatedIndex,
  { tags = [], onProgress = () => undefined, signal }: CreateIndexOptions,
): Promise<{ readonly digest: Digest; readonly mediaType: string; readonly copied: readonly CopiedEntry[] }> {
  const copied: CopiedEntry[] = [];
  const { mediaType, digest } = created.document.descriptor;
  for (const to of tags.map((tag) => withDefaultTag(parseReference(tag))))
    copied.push(
      ...(await runStepOf(onProgress, `[internal] pushing ${formatReference(to)}`, async (step) => await pushTag(client, created, to, step, signal))),
    );
  return { digest, mediaType, copied };
}

async function pushTag(
  client: RegistryClient,
  { document, entries, from }: CreatedIndex,
  to: Reference,
  step: Step,
  signal?: AbortSignal,
): Promise<readonly CopiedEntry[]> {
  const { mediaType, digest } = document.descriptor;
  const needed = from === undefined ? entries : [{ descriptor: document.descriptor, from }];
  const copied = needed
    .filter((entry) => !isSameRepository(entry.from, to))
    .map((entry) => ({ entry, told: { digest: entry.descriptor.digest, from: formatReference(entry.from), to: formatReference(to) } }));
  for (const { entry, told } of copied) {
    step.log(`copying ${told.digest} from ${told.from} to ${told.to}\n`);
    await bringManifest(client, entry.descriptor.digest, entry.from, to, signal);
  }
  step.log(`pushing ${digest} to ${formatReference(to)}\n`);
  await client.pushManifest(to, { mediaType, bytes: document.bytes }, signal === undefined ? {} : { signal });
  return copied.map(({ told }) => told);
}
