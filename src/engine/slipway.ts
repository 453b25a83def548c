/** The library's front door: one store, opened once, and the use cases on it. */
import type { ProgressEvent } from "../base/progress.ts";
import { takeImageUmask } from "../base/umask.ts";
import type { RegistryClient } from "../registry/index.ts";
import { defaultRoot, Store } from "../store/index.ts";
import type {
  BuildOptions,
  BuildResult,
  CallOptions,
  CheckResult,
  ContainerApi,
  ImageApi,
  LockOptions,
  LockResult,
  OpenOptions,
  OutlineResult,
  SlipwayApi,
  SystemApi,
  TargetsResult,
  Task,
  TwiceOptions,
  TwiceResult,
} from "./api.ts";
import type { BuildSurroundings } from "./build/build-image.ts";
import type * as Calls from "./build/calls.ts";
import { createContainers } from "./containers.ts";
import { createImages } from "./images.ts";
import { createSystem } from "./system.ts";
import { startTask } from "./task.ts";
import type { BuilderApi } from "./builder-api.ts";
import { createPackages } from "./packages.ts";
import type { PackagesApi } from "./packages-api.ts";
import type { DebugApi } from "./debug-api.ts";
import { createDebug, withFailure } from "./debug/debug.ts";
import { createBuilders } from "./system/builders.ts";
import { createPolicy, createPolicyGate } from "./policy.ts";
import type { PolicyApi, PolicySettings } from "./policy-api.ts";
import type { PolicyGate } from "./policy-gate.ts";
import { createAccounts } from "./accounts.ts";
import type { AccountApi } from "./registry-api.ts";
import { createNetworks } from "./networks/lazy-networks.ts";
import type { NetworkApi } from "./networks-api.ts";
import { createVolumes } from "./volumes/volumes.ts";
import type { VolumeApi } from "./volumes-api.ts";
import { createTransfer } from "./transfer.ts";
import type { TransferApi } from "./transfer-api.ts";
import { createTrust } from "./trust.ts";
import type { TrustApi } from "./trust-api.ts";

export class Slipway implements SlipwayApi {
  readonly images: ImageApi;
  readonly containers: ContainerApi;
  readonly volumes: VolumeApi;
  readonly networks: NetworkApi;
  readonly system: SystemApi;
  readonly transfer: TransferApi;
  readonly accounts: AccountApi;
  readonly builders: BuilderApi;
  readonly packages: PackagesApi;
  readonly debug: DebugApi;
  readonly trust: TrustApi;
  readonly policy: PolicyApi;
  readonly #gate: PolicyGate;
  readonly #store: Store;
  #client: Promise<RegistryClient> | undefined;

  private constructor(store: Store, settings: PolicySettings) {
    this.#store = store;
    this.#gate = createPolicyGate({ store, client: this.#registry }, settings, process.env);
    this.policy = createPolicy({ store, client: this.#registry }, settings, process.env);
    this.images = createImages(store, this.#registry, this.#gate);
    this.containers = createContainers(store, this.#registry, this.#gate);
    this.volumes = createVolumes(store);
    this.networks = createNetworks(store);
    this.builders = createBuilders(store.layout.root);
    this.debug = createDebug(store, this.#registry, this.#gate);
    this.accounts = createAccounts(this.#registry);
    this.transfer = createTransfer(store, this.#registry, this.#gate);
    this.packages = createPackages(store, this.#registry);
    this.trust = createTrust(store, this.#registry);
    this.system = createSystem(store, { containers: this.containers, networks: this.networks, policy: this.policy });
  }

  /**
   * Opens the store, creating it when there is none. The process's umask is 022 from then on: layers must not depend on the caller's, which
   * still holds for the files that results are written to. Fails with STORE_READ_ONLY, STORE_NO_SPACE, STORE_DENIED, STORE_TOO_NEW.
   */
  static async open(options: OpenOptions = {}): Promise<Slipway> {
    takeImageUmask();
    return new Slipway(Store.open(options.root ?? defaultRoot(process.env, process.geteuid?.() ?? 0)), options.policy ?? {});
  }

  /** Loaded on first use: most commands never talk to a registry. */
  readonly #registry = (): Promise<RegistryClient> => {
    this.#client ??= import("../registry/index.ts").then(async ({ createRegistryClient, readMachineConfig }) =>
      createRegistryClient(await readMachineConfig()),
    );
    return this.#client;
  };

  /**
   * Finished steps stay in the store whatever happens to the build: the next one goes on where this one ended. A failure of a step is a
   * StepFailedError.
   */
  build(options: BuildOptions): Task<BuildResult> {
    return startTask<BuildResult, ProgressEvent>(async (emit) => {
      const { buildImage } = await import("./build/build-image.ts");
      return await withFailure(this.#store, () => buildImage(options, { store: this.#store, client: this.#registry, onProgress: emit, gate: this.#gate }));
    });
  }

  /** The Dockerfile's warnings and the failure that a build would begin with; nothing is built and no layer fetched. */
  check(options: CallOptions): Task<CheckResult> {
    return this.#call(async ({ checkBuild }, surroundings) => await checkBuild(options, surroundings));
  }

  outline(options: CallOptions): Task<OutlineResult> {
    return this.#call(async ({ outlineBuild }, surroundings) => await outlineBuild(options, surroundings));
  }

  targets(options: CallOptions): Task<TargetsResult> {
    return this.#call(async ({ targetsOfBuild }, surroundings) => await targetsOfBuild(options, surroundings));
  }

  /** Writes down what everything remote is that Dockerfiles name; `build` with `frozen` holds to it. */
  lock(options: LockOptions): Task<LockResult> {
    return startTask<LockResult, ProgressEvent>(async (emit) => {
      const { lockBuild } = await import("./lock/lock-build.ts");
      return await lockBuild(options, { store: this.#store, client: this.#registry, onProgress: emit });
    });
  }

  buildTwice(options: TwiceOptions): Task<TwiceResult> {
    return startTask<TwiceResult, ProgressEvent>(async (emit) => {
      const { buildTwice } = await import("./twice/build-twice.ts");
      return await buildTwice(options, { store: this.#store, client: this.#registry, onProgress: emit, gate: this.#gate });
    });
  }

  #call<Result>(call: (calls: typeof Calls, surroundings: BuildSurroundings) => Promise<Result>): Task<Result> {
    return startTask<Result, ProgressEvent>(
      async (emit) => await call(await import("./build/calls.ts"), { store: this.#store, client: this.#registry, onProgress: emit }),
    );
  }

  /** Ends connections and gives up the store's lease. Containers go on. */
  async close(): Promise<void> {
    await (await this.#client?.catch(() => undefined))?.close();
    this.#store.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
