/** `IMAGE:/path` on the command line, and what must not be taken for it. */
import { isSlipwayError, SlipwayError } from "../../base/errors.ts";
import { splitImagePath } from "../../engine/transports/location.ts";
import type { SlipwayApi } from "../../engine/api.ts";
import { cliError } from "../failure.ts";

export interface ImagePath {
  readonly image: string;
  readonly path: string;
}

/** Fails with USAGE. `otherwise`: the path of a word that names an image alone. */
export function imagePath(word: string, otherwise?: string): ImagePath {
  const split = splitImagePath(word);
  if (split !== undefined) return split;
  if (otherwise !== undefined) return { image: word, path: otherwise };
  throw cliError(`${JSON.stringify(word)} names no file of an image: write IMAGE:/path`);
}

/** Docker's words for these commands name containers: one that is called so comes first. Fails with CONTAINER_FILES (unsupported). */
export async function refuseContainer(engine: SlipwayApi, name: string, remedy: string): Promise<void> {
  try {
    await engine.containers.inspect(name);
  } catch (error) {
    if (isSlipwayError(error) && (error.kind === "not_found" || error.kind === "invalid_argument")) return;
    throw error;
  }
  throw new SlipwayError("unsupported", "CONTAINER_FILES", `${name} is a container: this command reads images`, { name, remedy });
}
