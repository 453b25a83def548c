/**
 * Where things lie below the store's root. One directory holds everything; the database is the index, and a file that it
 * does not know is garbage unless a live process's `work/<lease>` holds it.
 */
import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { makeDirectories } from "../base/make-directories.ts";
import { asSlipwayError, errnoOf, SlipwayError } from "../base/errors.ts";
import { homeDirectory } from "../base/home-directory.ts";
import { hexOf, algorithmOf, type Digest } from "../oci/digest.ts";

export interface StoreLayout {
  readonly root: string;
  readonly database: string;
  /** `blobs/sha256/<hex>`, immutable */
  readonly blobs: string;
  /** overlay-ready directories, short names because mount options are short */
  readonly layers: string;
  /** one file per layer: its entries without contents */
  readonly indexes: string;
  /** one file per layer: the packages in it */
  readonly inventories: string;
  /** what is known of vulnerabilities */
  readonly advisories: string;
  /** one directory per live process: files being written, uppers of running steps */
  readonly work: string;
  /** blobs on their way from a registry, kept when a transfer breaks */
  readonly partial: string;
  /** RUN --mount=type=cache directories */
  readonly cacheMounts: string;
  /** what steps of builds wrote that are running, or did not end well */
  readonly steps: string;
  readonly containers: string;
  readonly volumes: string;
  readonly networks: string;
  readonly locks: string;
  /** digests of context files, one index per context directory */
  readonly contexts: string;
  /** upload sessions at registries */
  readonly uploads: string;
  /** what happened, the last of it */
  readonly events: string;
}

export function layoutOf(root: string): StoreLayout {
  return {
    root,
    database: join(root, "slipway.db"),
    blobs: join(root, "blobs"),
    layers: join(root, "layers"),
    indexes: join(root, "indexes"),
    inventories: join(root, "inventories"),
    advisories: join(root, "advisories"),
    work: join(root, "work"),
    partial: join(root, "partial"),
    cacheMounts: join(root, "cache-mounts"),
    steps: join(root, "steps"),
    containers: join(root, "containers"),
    volumes: join(root, "volumes"),
    networks: join(root, "networks"),
    locks: join(root, "locks"),
    contexts: join(root, "contexts"),
    uploads: join(root, "uploads"),
    events: join(root, "events"),
  };
}

export function blobPath(layout: StoreLayout, digest: Digest): string {
  return join(layout.blobs, algorithmOf(digest), hexOf(digest));
}

export function indexPath(layout: StoreLayout, diffId: Digest): string {
  return join(layout.indexes, hexOf(diffId));
}

/** The store's default place for this user. `env` and `euid` come in so that the choice can be tested. */
export function defaultRoot(env: Readonly<Record<string, string | undefined>>, euid: number): string {
  const explicit = env["SLIPWAY_ROOT"];
  if (explicit !== undefined && explicit !== "") return explicit;
  if (euid === 0 && env["SLIPWAY_USERNS"] === undefined) return "/var/lib/slipway";
  const data = env["XDG_DATA_HOME"];
  if (data !== undefined && data !== "") return join(data, "slipway");
  return join(homeDirectory(env), ".local", "share", "slipway");
}

/** Fails with STORE_READ_ONLY, STORE_NO_SPACE or STORE_DENIED, each naming the directory and what to do. */
export function createLayout(layout: StoreLayout): void {
  const directories = [
    layout.root,
    layout.blobs,
    join(layout.blobs, "sha256"),
    layout.layers,
    layout.indexes,
    layout.work,
    layout.partial,
    layout.cacheMounts,
    layout.steps,
    layout.containers,
    layout.volumes,
    layout.locks,
    layout.contexts,
  ];
  try {
    for (const directory of directories) makeDirectories(directory, 0o711);
  } catch (error) {
    throw storeError(error, layout.root);
  }
}

/** Names the store in errors of the file system that carries it. */
export function storeError(error: unknown, root: string): SlipwayError {
  if (error instanceof SlipwayError) return error;
  const errno = error instanceof Error && /unable to open database file|readonly database/.test(error.message) ? writeObstacle(root) : errnoOf(error);
  if (errno === "EROFS") {
    return new SlipwayError(
      "failed_precondition",
      "STORE_READ_ONLY",
      `the store ${root} is on a read-only file system`,
      { root, remedy: "set SLIPWAY_ROOT to a directory that can be written" },
      error,
    );
  }
  if (errno === "ENOSPC" || errno === "EDQUOT" || (error instanceof Error && /database or disk is full/.test(error.message))) {
    return new SlipwayError(
      "resource_exhausted",
      "STORE_NO_SPACE",
      `no space left on device: the store ${root} is full`,
      { root, remedy: "slipway builder prune, or set SLIPWAY_ROOT to a larger disk" },
      error,
    );
  }
  if (error instanceof Error && /file is not a database|disk image is malformed/.test(error.message)) {
    return new SlipwayError(
      "data_loss",
      "STORE_CORRUPT",
      `the database of the store ${root} is damaged: ${error.message}`,
      { root, remedy: `restore ${layoutOf(root).database} from a copy, or remove the store: images can be pulled and built again` },
      error,
    );
  }
  if (errno === "EACCES" || errno === "EPERM" || errno === "ENOTDIR") {
    return new SlipwayError(
      "denied",
      "STORE_DENIED",
      `cannot use the store ${root}: ${error instanceof Error ? error.message : String(error)}`,
      { root, remedy: "set SLIPWAY_ROOT to a directory of yours" },
      error,
    );
  }
  return asSlipwayError(error);
}

/** SQLite does not say why it cannot open or write a file; the directory and the file do. */
function writeObstacle(root: string): string {
  try {
    accessSync(root, constants.W_OK);
    accessSync(layoutOf(root).database, constants.W_OK);
    return "EACCES";
  } catch (error) {
    return errnoOf(error) ?? "EACCES";
  }
}
