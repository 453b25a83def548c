/** `image inspect`: Docker's object, key for key and in its order. */
import { canonicalJson } from "../../base/canonical-json.ts";
import type { ContainerConfig } from "../../oci/image-config.ts";
import type { Store } from "../../store/index.ts";
import type { ImageInspect } from "../api.ts";
import { requireImage } from "../image-names.ts";
import { setFields } from "./config-fields.ts";
import { familiarDigests, familiarTags, imageSize } from "./image-facts.ts";

/** What clients of Docker 28 find in `Config` even where the image sets nothing. */
const alwaysShown = { Cmd: null, Entrypoint: null, Env: null, Labels: null, OnBuild: null, User: "", Volumes: null, WorkingDir: "" };

/** Go's time before there was one. */
const zeroTime = "0001-01-01T00:00:00Z";

/** Fails with NO_SUCH_IMAGE (not_found), AMBIGUOUS_ID (invalid_argument). */
export function inspectImage(store: Store, ref: string): ImageInspect {
  const { id } = requireImage(store, ref);
  const config = store.images.config(id);
  const chain = store.images.chain(id);
  const taggedMs = store.images.get(id)?.taggedMs ?? 0;
  return {
    Id: id,
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
    Size: imageSize(store, id),
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
