/** The store: one directory, shared by any number of processes. Opening is cheap; a lease is taken with the first write. */
import { deferred } from "../base/deferred.ts";
import { AdvisoryFiles } from "./advisory-files.ts";
import { Blobs } from "./blobs.ts";
import { CacheMounts } from "./cache-mounts.ts";
import { CacheRecords } from "./cache-records.ts";
import { collect, listOrphans, type Collected } from "./collect.ts";
import { Containers, type StoredContainer } from "./containers.ts";
import { Database } from "./database.ts";
import { EventJournal } from "./event-journal.ts";
import { ImageIndexes } from "./image-indexes.ts";
import { Images } from "./images.ts";
import { Layers } from "./layers.ts";
import { KeptSteps } from "./kept-steps.ts";
import { createLayout, layoutOf, type StoreLayout } from "./layout.ts";
import { Inventories } from "./inventories.ts";
import { Lease } from "./lease.ts";
import type { Materializer } from "./materialize.ts";
import { UploadSessions } from "./upload-sessions.ts";
import { currentOwnership, type Ownership } from "./ownership.ts";

export class Store {
  readonly layout: StoreLayout;
  readonly ownership: Ownership;
  readonly blobs: Blobs;
  readonly layers: Layers;
  readonly images: Images;
  readonly indexes: ImageIndexes;
  readonly cache: CacheRecords;
  readonly cacheMounts: CacheMounts;
  readonly materializer: Pick<Materializer, keyof Materializer>;
  readonly uploads: UploadSessions;
  readonly inventories: Inventories;
  readonly advisories: AdvisoryFiles;
  readonly events: EventJournal;
  readonly #db: Database;
  #lease: Lease | undefined;

  private constructor(layout: StoreLayout, db: Database, ownership: Ownership) {
    this.layout = layout;
    this.ownership = ownership;
    this.#db = db;
    const lease = (): Lease => this.lease();
    this.blobs = new Blobs(db, layout, lease);
    this.layers = new Layers(db, layout, this.blobs, lease);
    this.images = new Images(db, this.blobs, this.layers);
    this.indexes = new ImageIndexes(db, this.blobs, this.images);
    this.cache = new CacheRecords(db, this.layers);
    this.cacheMounts = new CacheMounts(db, layout);
    this.uploads = new UploadSessions(layout);
    this.inventories = new Inventories(layout, lease);
    this.advisories = new AdvisoryFiles(layout, lease);
    this.events = new EventJournal(layout.events);
    // what unpacks layers is a third of the store's modules, and what is cached needs none of them
    this.materializer = deferred<Store["materializer"]>(
      { directories: "promise", directory: "promise", tar: "stream", view: "promise", trees: "promise", readableView: "promise" },
      async () => {
        const { Materializer: LoadedMaterializer } = await import("./materialize.ts");
        return new LoadedMaterializer(layout, this.blobs, this.layers, lease, ownership);
      },
    );
  }

  /** Creates the store when there is none. Fails with STORE_READ_ONLY, STORE_NO_SPACE, STORE_DENIED, STORE_TOO_NEW. */
  static open(root: string): Store {
    const layout = layoutOf(root);
    createLayout(layout);
    return new Store(layout, new Database(layout.database, root), currentOwnership());
  }

  lease(): Lease {
    this.#lease ??= new Lease(this.#db, this.layout);
    return this.#lease;
  }

  containers<Record extends StoredContainer>(): Containers<Record> {
    return new Containers<Record>(this.#db);
  }

  steps<StepRecord>(): KeptSteps<StepRecord> {
    return new KeptSteps<StepRecord>(this.#db, this.layout, () => this.lease());
  }

  /** Several changes that must be seen together. */
  transaction<T>(body: () => T): T {
    return this.#db.transaction(body);
  }

  collect(): Collected {
    return collect(this.#db, this.layout, () => this.lease());
  }

  orphans(): readonly string[] {
    return listOrphans(this.#db, this.layout);
  }

  close(): void {
    this.#lease?.release();
    this.#lease = undefined;
    this.#db.close();
  }
}
