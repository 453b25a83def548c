/** `commit`: a container's writable directory becomes a layer over its image's, its config a new image's. */
import { goJson } from "../../../base/canonical-json.ts";
import type { Digest } from "../../../oci/digest.ts";
import type { ContainerConfig as ImageContainerConfig, ImageConfig } from "../../../oci/image-config.ts";
import { hostPlatform } from "../../../oci/platform.ts";
import { parsePublish } from "../../../runtime/ports.ts";
import { whileHeld, type ContainerHost } from "../../../runtime/container.ts";
import { containerEvent } from "../../../runtime/container-events.ts";
import type { ContainerRecord } from "../../../runtime/container-records.ts";
import { packInTurns } from "../../../store/pack.ts";
import { currentOwnership } from "../../../store/ownership.ts";
import type { Store } from "../../../store/index.ts";
import type { CommitOptions } from "../../api.ts";
import { applyChanges } from "../../archive/import-changes.ts";
import { formatTime } from "../../build/assemble-config.ts";
import { imageEvent } from "../../events/tell.ts";
import { familiar, findImage, parseTagName } from "../../image-names.ts";
import { setFields } from "../../images/config-fields.ts";
import { LayerMeter } from "../../layer-meter.ts";
import { isStub } from "./container-changes.ts";

/** What is wrong with the words is told before anything is paused. */
export async function commitContainer(store: Store, host: ContainerHost, record: ContainerRecord, options: CommitOptions): Promise<Digest> {
  const names = options.reference === undefined || options.reference === "" ? [] : [parseTagName(options.reference)];
  const base = record.imageId === "" ? undefined : store.images.config(record.imageId as Digest);
  const config = applyChanges(configOf(record, base?.config ?? {}), options.changes ?? []);
  const write = async (): Promise<Digest> => {
    const diffId = await addLayer(store, record);
    const chain = [...store.containers<ContainerRecord>().chain(record.id)];
    const below = base === undefined ? chain : (base.rootfs.diff_ids ?? []);
    const image = store.images.commit({ config: Buffer.from(document(record, { base, config, below, diffId, options })), chain: [...below, diffId] }, names);
    store.images.setOrigin(image, {
      dockerfile: "",
      base: base === undefined ? undefined : { reference: findImage(store, record.imageName)?.name ?? record.imageId, layers: below.length },
      lines: {},
    });
    store.events.append([
      imageEvent(store, "create", { image }),
      ...names.map((name) => imageEvent(store, "tag", { image, name: familiar(name) })),
      containerEvent(record, "commit", { comment: options.message ?? "", imageID: image, imageRef: names.map(familiar)[0] ?? "" }),
    ]);
    return image;
  };
  return options.pause === false ? await write() : await whileHeld(host, record.id, write);
}

interface Parts {
  readonly base: ImageConfig | undefined;
  readonly config: ImageContainerConfig;
  readonly below: readonly Digest[];
  readonly diffId: Digest;
  readonly options: CommitOptions;
}

function document(record: ContainerRecord, { base, config, below, diffId, options }: Parts): string {
  const created = formatTime(Date.now());
  const platform = base ?? hostPlatform();
  const { author = "", message = "" } = options;
  const said = { ...(author === "" ? {} : { author }), ...(message === "" ? {} : { comment: message }) };
  return goJson({
    created,
    ...(author === "" ? {} : { author }),
    architecture: platform.architecture,
    os: platform.os,
    variant: platform.variant,
    rootfs: { type: "layers", diff_ids: [...below, diffId] },
    history: [...(base?.history ?? []), { created, created_by: record.config.args.join(" "), ...said }],
    config: setFields(config),
  });
}

/** The container's own words in place of the image's. */
function configOf({ config, labels, mounts }: ContainerRecord, image: ImageContainerConfig): ImageContainerConfig {
  const entrypoint = image.Entrypoint ?? [];
  const own = entrypoint.length > 0 && entrypoint.every((word, index) => config.args[index] === word);
  const ports = (config.exposedPorts ?? []).flatMap(parsePublish).map((port) => [`${port.containerPort}/${port.protocol}`, {}] as const);
  const volumes = mounts.filter((mount) => mount.type === "volume" && mount.asMount !== true && mount.options.length === 0);
  const { Entrypoint: _, ...rest } = image;
  return {
    ...rest,
    Env: config.env,
    Cmd: own ? config.args.slice(entrypoint.length) : config.args,
    ...(own ? { Entrypoint: entrypoint } : {}),
    ...(config.user === "" ? {} : { User: config.user }),
    ...(config.cwd === "" ? {} : { WorkingDir: config.cwd }),
    ...(Object.keys(labels).length === 0 ? {} : { Labels: labels }),
    ...(ports.length === 0 ? {} : { ExposedPorts: Object.fromEntries(ports) }),
    ...(volumes.length === 0 ? {} : { Volumes: Object.fromEntries(volumes.map(({ destination }) => [destination, {}])) }),
    ...(config.stopSignal === "" ? {} : { StopSignal: config.stopSignal }),
    ...(config.healthcheck === undefined ? {} : { Healthcheck: config.healthcheck }),
  };
}

async function addLayer(store: Store, { paths }: ContainerRecord): Promise<Digest> {
  const meter = new LayerMeter();
  using ingest = store.blobs.ingest();
  const options = {
    directory: paths.upper,
    overlay: true,
    wholeSeconds: true,
    owners: currentOwnership().owners,
    skip: (path: string) => isStub(paths.upper, path),
    onChunk: (bytes: Buffer) => {
      meter.push(bytes);
      ingest.write(bytes);
    },
  };
  await packInTurns(options, undefined);
  const sizeBytes = meter.finish();
  const { digest } = ingest.commit();
  store.layers.addTar(digest, sizeBytes);
  return digest;
}
