/** Nobody removes a volume between its choice for a container and the container's record that names it. */
import { holdFile } from "../../runtime/container-lock.ts";
import type { Store } from "../../store/index.ts";

/** Copying an image's files into a new volume takes as long as it takes. */
const patienceMs = 600_000;

/** shared: takes volumes into use; exclusive: removes some. CONTAINER_BUSY (unavailable) after ten minutes. */
export async function holdVolumes(store: Store, kind: "shared" | "exclusive"): Promise<Disposable> {
  return await holdFile(store.layout.volumes, kind, patienceMs);
}
