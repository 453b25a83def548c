/** The library's words for the store and the machine as a whole. */
import type { Filters, RemoveLine } from "./api.ts";
import type { EventMessage, EventOptions } from "./events-api.ts";

export type * from "./events-api.ts";

export interface DiskUsage {
  readonly images: { readonly total: number; readonly active: number; readonly sizeBytes: number; readonly reclaimableBytes: number };
  readonly containers: { readonly total: number; readonly active: number; readonly sizeBytes: number; readonly reclaimableBytes: number };
  readonly volumes: { readonly total: number; readonly active: number; readonly sizeBytes: number; readonly reclaimableBytes: number };
  readonly cache: { readonly total: number; readonly active: number; readonly sizeBytes: number; readonly reclaimableBytes: number };
  readonly cacheRecords: readonly CacheRecordSummary[];
  /** bytes on disk that nothing explains; 0 in a healthy store */
  readonly orphanBytes: number;
}

export interface CacheRecordSummary {
  readonly id: string;
  /** exec.failed: the state of a step that failed or was interrupted */
  readonly type: "regular" | "source.local" | "exec.cachemount" | "exec.failed" | "frontend";
  readonly description: string;
  readonly sizeBytes: number;
  readonly createdMs: number;
  readonly lastUsedMs: number;
  readonly usageCount: number;
  readonly inUse: boolean;
  readonly shared: boolean;
}

export interface DoctorFinding {
  readonly name: string;
  readonly status: "ok" | "warning" | "missing";
  /** what it is for, and what was found */
  readonly message: string;
  /** the one command that mends it */
  readonly remedy: string | undefined;
}

export interface SystemApi {
  /** `cacheFilters`: which records `cacheRecords` lists; the totals are of all */
  diskUsage(options?: { readonly cacheFilters?: Filters }): Promise<DiskUsage>;
  pruneCache(options?: {
    readonly all?: boolean;
    readonly filters?: Filters;
    /** what may stay of the cache; what of it stays in any case; how much of the disk shall be free afterwards */
    readonly keepBytes?: number;
    readonly reservedBytes?: number;
    readonly minFreeBytes?: number;
  }): Promise<{ readonly removed: readonly CacheRecordSummary[]; readonly reclaimedBytes: number }>;
  /** `system prune`: stopped containers, networks and with `volumes` anonymous volumes without users, dangling (or with `all` unused) images, cache. */
  prune(options?: { readonly all?: boolean; readonly volumes?: boolean; readonly filters?: Filters }): Promise<{
    readonly containers: readonly string[];
    readonly volumes: readonly string[];
    readonly networks: readonly string[];
    readonly images: readonly RemoveLine[];
    readonly cache: readonly string[];
    readonly reclaimedBytes: number;
  }>;
  version(): Readonly<Record<string, string>>;
  /** what containers of this machine can be for, its own first */
  platforms(): Promise<readonly string[]>;
  info(): Promise<Readonly<Record<string, unknown>>>;
  /** What happens, in Docker's words. Only the last of it is kept: about a thousand events at least. */
  events(options?: EventOptions): AsyncGenerator<EventMessage>;
  doctor(): Promise<readonly DoctorFinding[]>;
}
