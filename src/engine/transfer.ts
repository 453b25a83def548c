/** The library's calls about images elsewhere, each on its own module, loaded when it is called. */
import type { RegistryClient } from "../registry/index.ts";
import type { Store } from "../store/index.ts";
import { createImagetools } from "./imagetools/imagetools.ts";
import { createManifests } from "./manifests/manifests.ts";
import type { PolicyGate } from "./policy-gate.ts";
import { startTask } from "./task.ts";
import type { LocationOptions, TransferApi } from "./transfer-api.ts";
import type { ImageFiles } from "./files/image-files.ts";
import type { Surroundings } from "./transports/open-source.ts";

export function createTransfer(store: Store, client: () => Promise<RegistryClient>, gate?: PolicyGate): TransferApi {
  const surroundings = ({ cwd = process.cwd(), env = process.env, signal }: LocationOptions): Surroundings => ({
    store,
    client,
    cwd,
    env,
    ...(gate === undefined ? {} : { gate }),
    ...(signal === undefined ? {} : { signal }),
  });
  const open = async (image: string, options: LocationOptions): Promise<ImageFiles> => {
    const { openImageFiles } = await import("./files/open-files.ts");
    return await openImageFiles(surroundings(options), image, options);
  };
  return {
    manifests: createManifests(store, client, gate),
    imagetools: createImagetools(client, gate),
    tags: async (repository, { signal } = {}) => {
      const { parseReference } = await import("../oci/reference.ts");
      const reference = parseReference(repository.replace(/^docker:\/\//, ""));
      return await (await client()).listTags(reference, signal === undefined ? {} : { signal });
    },
    search: async (term, options = {}) => (await import("./search.ts")).search(client, term, options),
    listFiles: async (image, path, options = {}) => {
      const { listFiles } = await import("./files/list-files.ts");
      await using files = await open(image, options);
      return await listFiles(files, image, path, options.recursive ?? false);
    },
    readFile: async function* (image, path, options = {}) {
      const { readFile } = await import("./files/read-file.ts");
      await using files = await open(image, options);
      yield* readFile(files, image, path);
    },
    archivePath: async function* (image, path, options = {}) {
      const [{ archivePath, selectPath }, { baseNameOf }] = await Promise.all([import("./files/archive-path.ts"), import("./files/find-path.ts")]);
      await using files = await open(image, options);
      yield* archivePath(files, await selectPath(files, image, path, options.followLink ?? false), baseNameOf(path));
    },
    copyPath: async (image, path, destination, options = {}) => {
      const [{ selectPath }, { baseNameOf }] = await Promise.all([import("./files/archive-path.ts"), import("./files/find-path.ts")]);
      const { destinationOf, writePath } = await import("./files/write-path.ts");
      await using files = await open(image, options);
      const copy = await selectPath(files, image, path, options.followLink ?? false);
      const target = destinationOf(destination, baseNameOf(path), copy.top.node.type === "directory");
      const { keepOwners = false, signal } = options;
      return { path: target, sizeBytes: await writePath(files, copy, target, { keepOwners, ...(signal === undefined ? {} : { signal }) }) };
    },
    copy: (source, target, options = {}) =>
      startTask(async (emit) => {
        const { copy } = await import("./copy/copy.ts");
        return await copy(surroundings(options), source, target, options, emit);
      }),
    receive: async (input, answer, { signal } = {}) => {
      const { receiveImage } = await import("./transports/ssh-receive.ts");
      await receiveImage(store, input, answer, signal);
    },
    referrers: async (image, options = {}) => {
      const { referrersOf } = await import("./copy/referrers.ts");
      return await referrersOf(await client(), image, options);
    },
    attach: async (repository, manifest, { signal } = {}) => {
      const { attach } = await import("./copy/referrers.ts");
      return await attach(await client(), repository, manifest, signal);
    },
    layers: async (image, options = {}) => {
      const [{ openImageLayers }, { reportLayers }] = await Promise.all([import("./layers/image-layers.ts"), import("./layers/report-layers.ts")]);
      return reportLayers(image, await openImageLayers(surroundings(options), image, options.platform));
    },
    diff: async (before, after, options = {}) => {
      const { diffImages } = await import("./files/diff-images.ts");
      return await diffImages(surroundings(options), before, after, options.platform);
    },
  };
}
