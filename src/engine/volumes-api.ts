/** The library's words for volumes. */
import type { Filters } from "./api.ts";

export interface VolumeOptions {
  /** absent: a random one, and the volume counts as anonymous */
  readonly name?: string;
  /** "local" is the only one that is there */
  readonly driver?: string;
  /** type, device and o, as `mount` takes them: the container gets that file system in place of the volume's directory */
  readonly driverOptions?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Docker's `volume inspect` object. */
export interface VolumeInspect {
  readonly CreatedAt: string;
  readonly Driver: "local";
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly Mountpoint: string;
  readonly Name: string;
  readonly Options: Readonly<Record<string, string>> | null;
  readonly Scope: "local";
}

export interface VolumeApi {
  /** Answers the name. One that exists already is left as it is. INVALID_VOLUME (invalid_argument), VOLUME_DRIVER (not_found). */
  create(options?: VolumeOptions): Promise<string>;
  /** By name. INVALID_FILTER (invalid_argument). */
  list(options?: { readonly filters?: Filters }): readonly VolumeInspect[];
  /** VOLUME_NOT_FOUND (not_found). */
  inspect(name: string): VolumeInspect;
  /** VOLUME_NOT_FOUND, VOLUME_IN_USE (conflict). `force`: one that is not there is no failure. */
  remove(name: string, options?: { readonly force?: boolean }): Promise<void>;
  /** Those that no container uses: anonymous ones, with `all` the others too. */
  prune(options?: { readonly all?: boolean; readonly filters?: Filters }): Promise<{ readonly removed: readonly string[]; readonly reclaimedBytes: number }>;
}
