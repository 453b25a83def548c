/** `image inspect`: Docker's object, key for key and in its order. */
import { canonicalJson } from "../../base/canonical-json.ts";
import type { ContainerConfig } from "../../oci/image-config.ts";
import type { Store } from "../../store/index.ts";
import type { ImageInspect } from "../api.ts";
import { setFields } from "./config-fields.ts";
import { familiarDigests, familiarTags, imageSize } from "./image-facts.ts";
import { chooseImage } from "./variants.ts";

/** What clients of Docker 28 find in `Config` even where the image sets nothing. */
const alwaysShown = { Cmd: null, Entrypoint: null, Env: null, Labels: null, OnBuild: null, User: "", Volumes: null, WorkingDir: "" };

/** Go's time before there was one. */
const zeroTime = "0001-01-01T00:00:00Z";

/**
 * Of an index the image for this machine under the index's id, or with `platform` the one for that under its own. Fails with
 * NO_SUCH_IMAGE, NO_MATCHING_PLATFORM (not_found), AMBIGUOUS_ID (invalid_argument).
 */
export function inspectImage(store: Store, ref: string, platform?: string): ImageInspect {
  const { id, image } = chooseImage(store, ref, platform);
  const config = store.images.config(image);
  const chain = store.images.chain(image);
  const taggedMs = (store.indexes.get(id) ?? store.images.get(id))?.taggedMs ?? 0;
  return {
    Id: platform === undefined || platform === "" ? id : image,
    RepoTags: familiarTags(store, id),
    RepoDigests: familiarDigests(store, id),
    Parent: "",
    Comment: config.history?.at(-1)?.comment ?? "",
    Created: config.created ?? zeroTime,
    DockerVersion: "",
    Author: config.author ?? "",
    Architecture: config.architecture,
    ...(config.variant === undefined || config.variant === "" ? {} : { Variant: config.variant }),
    Os: config.os,
    Size: imageSize(store, image),
    GraphDriver: { Data: null, Name: "overlayfs" },
    RootFS: { Type: "layers", Layers: chain.length === 0 ? null : chain },
    Metadata: { LastTagTime: taggedMs === 0 ? zeroTime : new Date(taggedMs).toISOString() },
    Config: shownConfig(config.config),
  };
}

/** Docker merges two structures as maps here: keys are sorted at every level. */
function shownConfig(config: ContainerConfig): ContainerConfig {
  return JSON.parse(canonicalJson({ ...alwaysShown, ...setFields(config) })) as ContainerConfig;
}
