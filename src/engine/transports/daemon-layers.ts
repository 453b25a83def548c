/**
 * Which of an image's layers a Docker daemon has. Its API has no question for that, but `load` takes archives that leave out layers that are
 * there, and names the first that is not: an archive without any layer is loaded under a name of its own. That name is removed when the copy
 * is over, for until then it keeps what was found.
 */
import { randomBytes } from "node:crypto";
import { asSlipwayError } from "../../base/errors.ts";
import { hexOf, type Digest } from "../../oci/digest.ts";
import { parseImageConfig } from "../../oci/parse-image-config.ts";
import { parseManifestOrIndex } from "../../oci/parse-manifest.ts";
import { streamSink } from "./archive-sinks.ts";
import { archiveTarget } from "./archive-target.ts";
import { callDocker, loadIntoDocker } from "./docker-socket.ts";
import type { PlannedImage } from "./image-target.ts";

const maxConfigBytes = 8 * 1024 * 1024;

export interface FoundLayers extends AsyncDisposable {
  readonly digests: ReadonlySet<Digest>;
}

export const noLayers: FoundLayers = { digests: new Set(), [Symbol.asyncDispose]: async () => {} };

/** None where the daemon's answer does not tell, or for several images at once: then all layers are sent. */
export async function layersOfDaemon(host: string | undefined, { documents, open }: PlannedImage, signal?: AbortSignal): Promise<FoundLayers> {
  const [document] = documents;
  const parsed = document === undefined || documents.length > 1 ? undefined : parseManifestOrIndex(document.bytes, document.descriptor.mediaType);
  if (document === undefined || parsed?.kind !== "manifest" || parsed.manifest.config.size > maxConfigBytes) return noLayers;
  const { config, layers } = parsed.manifest;
  const configBytes = Buffer.concat(await Array.fromAsync(open(config)));
  const name = `docker.io/library/slipway-asks-for-layers:${randomBytes(8).toString("hex")}`;
  let answer: string | undefined;
  const sink = streamSink(async (archive) => {
    answer = await loadIntoDocker(host, archive, signal).then(
      () => "",
      (error: unknown) => asSlipwayError(error).message,
    );
  });
  await using probe = archiveTarget("", sink, { format: "docker", names: [name] });
  await probe.putBlob(
    {
      descriptor: config,
      open: async function* () {
        yield configBytes;
      },
      from: undefined,
    },
    signal,
  );
  await probe.putRoot(document, signal);
  const missing =
    answer === ""
      ? layers.length
      : firstNamed(
          answer ?? "",
          layers.map(({ digest }) => digest),
          parseImageConfig(configBytes).rootfs.diff_ids ?? [],
        );
  return { digests: new Set(layers.slice(0, missing).map(({ digest }) => digest)), [Symbol.asyncDispose]: async () => await forget(host, name) };
}

/** The first layer that the words name, by its blob or by what it unpacks to. */
function firstNamed(answer: string, blobs: readonly Digest[], diffIds: readonly string[]): number {
  const at = blobs.findIndex((blob, position) => [blob, diffIds[position] ?? blob].some((digest) => answer.includes(hexOf(digest as Digest))));
  return Math.max(0, at);
}

/** Where nothing was loaded there is nothing to remove. */
async function forget(host: string | undefined, name: string): Promise<void> {
  const path = `/images/${name.replace("docker.io/library/", "")}?force=1`;
  const answer = await callDocker(host, { method: "DELETE", path }).catch((error: unknown) => asSlipwayError(error));
  if (!(answer instanceof Error)) answer.resume();
}
