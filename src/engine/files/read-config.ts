/** The config of an image that lies anywhere. */
import type { ImageConfig } from "../../oci/image-config.ts";
import type { Manifest } from "../../oci/manifest.ts";
import { parseImageConfig } from "../../oci/parse-image-config.ts";
import type { ImageSource } from "../transports/image-source.ts";

const maxConfigBytes = 8 * 2 ** 20;

/** Of a config that is too long to be one the beginning is read: it fails as one that is malformed. */
export async function readImageConfig(source: ImageSource, manifest: Manifest, signal: AbortSignal | undefined): Promise<ImageConfig> {
  const bytes: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of source.blob(manifest.config, signal)) if ((size += chunk.length) <= maxConfigBytes) bytes.push(chunk);
  return parseImageConfig(Buffer.concat(bytes));
}
