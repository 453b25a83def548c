/** The library's containers: create, start, run, look at, stop, remove. */
import type { PolicyGate } from "../policy-gate.ts";
import { SlipwayError } from "../../base/errors.ts";
import type { Digest } from "../../oci/digest.ts";
import type { RegistryClient } from "../../registry/index.ts";
import type { Attachment, ContainerHost } from "../../runtime/container.ts";
import type { ContainerRecord, ContainerRecords } from "../../runtime/container-records.ts";
import { containerEvent } from "../../runtime/container-events.ts";
import { containerFiles } from "../../runtime/container-host.ts";
import { readHealth, type Health } from "../../runtime/health-checks.ts";
import type { Store } from "../../store/index.ts";
import type {
  AttachStreams,
  CommitOptions,
  ContainerApi,
  ContainerStats,
  ContainerSummary,
  ContainerCopyOptions,
  FileChange,
  Filters,
  LogLine,
  RunOptions,
  UpdateOptions,
} from "../api.ts";
import type { PullEvent } from "../registry-api.ts";
import { sizeOfContainer } from "./container-size.ts";
import { createHost, createRecords } from "./container-host.ts";
import { joinsFrom } from "./join-options.ts";
import { imageFor } from "./container-image.ts";
import { containerConfig, portsOf } from "./create-options.ts";
import { exportContainer } from "./export-container.ts";
import { inspectContainer } from "./inspect-container.ts";
import { logOptions } from "./log-options.ts";
import { checkFilters, matchesFilters, summarize } from "./summarize.ts";
import { prepareMounts, removeAnonymousVolumes } from "./container-mounts.ts";
import { holdVolumes } from "../volumes/volume-lock.ts";

/** Loaded when a container is really touched: listing needs none of it. */
const runtime = () => import("../../runtime/container.ts");

type ListOptions = NonNullable<Parameters<ContainerApi["list"]>[0]>;

export class Containers implements ContainerApi {
  readonly #store: Store;
  readonly #client: () => Promise<RegistryClient>;
  readonly #chains = new Map<string, readonly Digest[]>();
  readonly #records: ContainerRecords;
  readonly #gate: PolicyGate | undefined;
  #host: ContainerHost | undefined;

  constructor(store: Store, client: () => Promise<RegistryClient>, gate?: PolicyGate) {
    this.#gate = gate;
    this.#store = store;
    this.#client = client;
    this.#records = createRecords(store, (record) => this.#chains.get(record.id) ?? []);
  }

  #hostOf(): ContainerHost {
    this.#host ??= createHost(this.#store, this.#records, (message) => process.emitWarning(message));
    return this.#host;
  }

  async create(options: RunOptions, onPull?: (event: PullEvent) => void): Promise<string> {
    const store = this.#store;
    const image = await imageFor(store, this.#client, options, onPull, this.#gate);
    const { networksFrom } = await import("../networks/container-networks.ts");
    const config = {
      ...containerConfig(options, image.config, this.#hostOf().onWarning),
      ...networksFrom(options, store),
      joins: joinsFrom(options, this.#records),
    };
    const lowers = await store.materializer.directories(image.chain, options.signal);
    using _ = await holdVolumes(store, "shared");
    const declared = Object.keys(image.config.Volumes ?? {});
    const mounts = await prepareMounts({ store, records: this.#records, chain: image.chain, declared }, options);
    const { createContainer } = await runtime();
    const { randomBytes } = await import("node:crypto");
    const id = randomBytes(32).toString("hex");
    this.#chains.set(id, image.chain);
    const created = {
      id,
      ...(options.name === undefined || options.name === "" ? {} : { name: options.name }),
      imageId: image.imageId,
      imageName: options.image,
      ports: portsOf(options, image.config),
      labels: { ...image.config.Labels, ...options.labels },
      mounts,
      config,
      lowers: lowers.length === 0 ? [store.layers.workDirectory("empty")] : lowers.toReversed(),
      containersDirectory: store.layout.containers,
    };
    try {
      createContainer(this.#hostOf(), created);
    } catch (error) {
      removeAnonymousVolumes(store, created);
      throw error;
    } finally {
      this.#chains.delete(id);
    }
    return id;
  }

  async start(container: string): Promise<void> {
    await this.#admit(await this.#require(container));
    const { startContainer } = await runtime();
    await startContainer(this.#hostOf(), container);
  }

  async #admit(record: ContainerRecord): Promise<void> {
    const { admitStart } = await import("./admit-start.ts");
    await admitStart(this.#gate, this.#hostOf(), record);
  }

  async *startByPolicies(): ReturnType<ContainerApi["startByPolicies"]> {
    await this.#settle();
    const { startByPolicies } = await runtime();
    const { judgeStart } = await import("./admit-start.ts");
    for await (const { record, failure } of startByPolicies(this.#hostOf(), (each) => judgeStart(this.#gate, each))) {
      yield { id: record.id, name: record.name, ...(failure === undefined ? {} : { failure }) };
    }
  }

  async run(
    options: RunOptions,
    attach?: AttachStreams,
    onPull?: (event: PullEvent) => void,
  ): Promise<{ readonly id: string; readonly exitCode: number | undefined }> {
    const id = await this.create(options, onPull);
    if (attach === undefined) {
      await this.#startFirst(id, options);
      return { id, exitCode: undefined };
    }
    const { holdAsReader } = await runtime();
    attach.onCreated?.(id);
    // the monitor of a container that is removed when it ends waits until we have read everything
    using _ = holdAsReader((await this.#require(id)).paths.directory);
    const attachment = await this.#startFirst(id, options, attach);
    const exitCode = await this.#carry(id, attachment, attach, options.signal);
    if (options.remove === true && exitCode !== undefined) await this.#removeQuietly(id);
    return { id, exitCode };
  }

  /** Of a container that was just made: one with --rm that cannot be started goes. */
  async #startFirst(id: string, options: RunOptions, attach?: AttachStreams): Promise<Attachment | undefined> {
    try {
      return await this.#startAttached(id, attach);
    } catch (error) {
      if (options.remove === true) await this.#removeQuietly(id);
      throw error;
    }
  }

  async #startAttached(container: string, attach: AttachStreams | undefined): Promise<Attachment | undefined> {
    const { startContainer } = await runtime();
    if (attach !== undefined) this.#tell(await this.#require(container), "attach");
    const size = attach?.terminalSize === undefined ? {} : { size: attach.terminalSize };
    return (await startContainer(this.#hostOf(), container, { attach: attach !== undefined, ...size })).attachment;
  }

  async #removeQuietly(id: string): Promise<void> {
    const { removeQuietly } = await import("./remove-container.ts");
    await removeQuietly(this.#store, this.#hostOf(), id, true);
  }

  /** The exit code; undefined when the streams were detached. CANCELED after an abort; the container goes on then. */
  async #carry(id: string, attachment: Attachment | undefined, attach: AttachStreams, signal: AbortSignal | undefined): Promise<number | undefined> {
    const { carryStreams } = await import("./carry-streams.ts");
    const { resizeContainer, waitContainer } = await runtime();
    const host = this.#hostOf();
    if (attachment !== undefined) await carryStreams(attachment, attach, (size) => resizeContainer(host, id, size), signal);
    if (attach.detach?.aborted === true) {
      this.#tell(await this.#require(id), "detach");
      return undefined;
    }
    return await waitContainer(host, id, signal === undefined ? {} : { signal });
  }

  async attach(
    container: string,
    streams: AttachStreams,
    options: { readonly start?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<{ readonly exitCode: number | undefined }> {
    const { attachContainer, holdAsReader, redrawTerminal } = await runtime();
    const record = await this.#require(container);
    const { id, paths } = record;
    using _ = holdAsReader(paths.directory);
    streams.onCreated?.(id);
    if (options.start !== true) this.#tell(record, "attach");
    else await this.#admit(record);
    const attachment = options.start === true ? await this.#startAttached(id, streams) : attachContainer(this.#hostOf(), id);
    if (options.start !== true && streams.terminalSize !== undefined) redrawTerminal(this.#hostOf(), id, streams.terminalSize);
    return { exitCode: await this.#carry(id, attachment, streams, options.signal) };
  }

  async restart(container: string, options: { readonly timeoutSeconds?: number; readonly signal?: string } = {}): Promise<void> {
    const record = await this.#require(container);
    // one that must not be started again is not stopped for it
    const { judgeStart } = await import("./admit-start.ts");
    await judgeStart(this.#gate, record);
    await this.stop(record.id, options);
    await (await runtime()).startContainer(this.#hostOf(), record.id);
    this.#tell(record, "restart");
  }

  async rename(container: string, name: string): Promise<void> {
    const { renameContainer } = await runtime();
    const { id } = await this.#require(container);
    renameContainer(this.#hostOf(), container, name);
    const { config } = await this.#require(id);
    if (config.networks === undefined) return;
    const { refreshNetworks } = await import("../../runtime/joined-networks.ts");
    await refreshNetworks(this.#hostOf(), id);
  }

  async list(options: ListOptions = {}): Promise<readonly ContainerSummary[]> {
    checkFilters(options.filters ?? {});
    const { containerState } = await import("../../runtime/container-state.ts");
    const host = this.#hostOf();
    await this.#settle();
    const wantsAll =
      options.all === true || options.last !== undefined || options.filters?.["status"] !== undefined || options.filters?.["exited"] !== undefined;
    const layerSizes = new Map<string, number>();
    const summaries = this.#records
      .list()
      .map((record) => {
        const state = containerState(host, record);
        const size = options.size === true ? sizeOfContainer(record, layerSizes) : undefined;
        return summarize({ record, state, size, health: this.#healthOf({ ...record, state })?.status });
      })
      .filter((summary) => wantsAll || summary.state === "running" || summary.state === "paused" || summary.state === "restarting")
      .filter((summary) => matchesFilters(summary, options.filters ?? {}, this.#records));
    return options.last === undefined || options.last < 0 ? summaries : summaries.slice(0, options.last);
  }

  /** Monitors are killed and machines switched off: what they should have cleared away is cleared away when somebody looks. */
  async #settle(): Promise<void> {
    const { containerState, isAbandoned } = await import("../../runtime/container-state.ts");
    const host = this.#hostOf();
    for (const record of this.#records.list().filter((each) => isAbandoned(host, each, containerState(host, each)))) {
      const { settleAbandoned } = await import("./remove-container.ts");
      await settleAbandoned(this.#store, host, record);
    }
  }

  async inspect(container: string, options: { readonly size?: boolean } = {}): Promise<Readonly<Record<string, unknown>>> {
    const { containerState } = await import("../../runtime/container-state.ts");
    const record = await this.#require(container);
    const state = containerState(this.#hostOf(), record);
    const size = options.size === true ? sizeOfContainer(record) : undefined;
    const health = this.#healthOf({ ...record, state });
    return inspectContainer(record, { state, store: this.#store, ...(size === undefined ? {} : { size }), ...(health === undefined ? {} : { health }) });
  }

  #healthOf(record: ContainerRecord): Health | undefined {
    return readHealth(record, containerFiles(this.#hostOf(), record));
  }

  async #require(container: string): Promise<ContainerRecord> {
    const record = this.#records.get(container);
    if (record !== undefined) return record;
    const { noSuchContainer } = await runtime();
    throw noSuchContainer(container);
  }

  #tell(record: ContainerRecord, action: string): void {
    this.#store.events.append([containerEvent(record, action)]);
  }

  async *logs(container: string, options: Parameters<ContainerApi["logs"]>[1] = {}): AsyncGenerator<LogLine> {
    const { readLogs } = await runtime();
    yield* readLogs(this.#hostOf(), container, logOptions(options));
  }

  async stop(container: string, options: { readonly timeoutSeconds?: number; readonly signal?: string } = {}): Promise<void> {
    const { stopContainer } = await runtime();
    await stopContainer(this.#hostOf(), container, {
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      ...(options.timeoutSeconds === undefined ? {} : { timeoutMs: options.timeoutSeconds * 1000 }),
    });
  }

  async kill(container: string, signal?: string): Promise<void> {
    const { killContainer } = await runtime();
    await killContainer(this.#hostOf(), container, signal);
  }

  async pause(container: string): Promise<void> {
    const { pauseContainer } = await runtime();
    await pauseContainer(this.#hostOf(), container);
  }

  async unpause(container: string): Promise<void> {
    const { unpauseContainer } = await runtime();
    await unpauseContainer(this.#hostOf(), container);
  }

  async top(container: string, psOptions: readonly string[] = []): ReturnType<ContainerApi["top"]> {
    const { topContainer } = await runtime();
    return await topContainer(this.#hostOf(), container, psOptions);
  }

  async *stats(names: readonly string[], options: Parameters<ContainerApi["stats"]>[1] = {}): AsyncGenerator<readonly ContainerStats[]> {
    const { watchStats } = await import("./container-stats.ts");
    yield* watchStats(this.#hostOf(), names, options);
  }

  async update(container: string, options: UpdateOptions): Promise<readonly string[]> {
    const { changeContainer } = await import("./update-container.ts");
    const { id } = await this.#require(container);
    return await changeContainer(this.#hostOf(), id, options);
  }

  async wait(container: string): Promise<number> {
    const { waitContainer } = await runtime();
    return await waitContainer(this.#hostOf(), container);
  }

  async remove(container: string, options: { readonly force?: boolean; readonly volumes?: boolean } = {}): Promise<void> {
    const { removeWithVolumes } = await import("./remove-container.ts");
    await removeWithVolumes(this.#store, this.#hostOf(), container, { force: options.force === true, volumes: options.volumes === true });
  }

  async exec(container: string, options: Parameters<ContainerApi["exec"]>[1], attach?: AttachStreams): Promise<{ readonly exitCode: number | undefined }> {
    const { execInContainer } = await runtime();
    const result = await execInContainer(this.#hostOf(), container, {
      args: options.command,
      env: options.env ?? [],
      ...(options.workdir === undefined ? {} : { cwd: options.workdir }),
      ...(options.user === undefined ? {} : { user: options.user }),
      ...(options.privileged === true ? { privileged: true } : {}),
      terminal: options.tty === true,
      stdin: attach?.stdin ?? "none",
      ...(options.detach === true ? { background: true } : {}),
      ...(attach?.terminalSize === undefined ? {} : { size: attach.terminalSize }),
      ...(attach?.onResize === undefined ? {} : { onResize: attach.onResize }),
      ...(attach?.detach === undefined ? {} : { detach: attach.detach }),
      onOutput: (stream, data) => attach?.onOutput(stream, data),
    });
    if (result.startError !== undefined) {
      // in the background nobody waits for a code
      if (options.detach === true) throw new SlipwayError("failed_precondition", "START_FAILED", result.startError);
      throw new SlipwayError("failed_precondition", "EXEC_FAILED", result.startError, { exitCode: result.exitCode });
    }
    return { exitCode: result.exitCode };
  }

  async changes(container: string): Promise<readonly FileChange[]> {
    const { containerChanges } = await import("./files/container-changes.ts");
    return containerChanges(await this.#require(container));
  }

  async copyOut(container: string, path: string, destination: string, options: ContainerCopyOptions = {}): ReturnType<ContainerApi["copyOut"]> {
    const [{ withContainerRoot }, { copyOut }] = await Promise.all([import("./files/container-root.ts"), import("./files/copy-from.ts")]);
    const { followLink = false, archive = false, signal } = options;
    const asked = { path, destination, followLink, keepOwners: archive, ...(signal === undefined ? {} : { signal }) };
    return await withContainerRoot(this.#hostOf(), container, async (root) => {
      this.#tell(root.record, "archive-path");
      return await copyOut(root, container, asked);
    });
  }

  async *archive(container: string, path: string, { followLink = false }: ContainerCopyOptions = {}): AsyncGenerator<Uint8Array> {
    const [{ openContainerRoot }, { archiveFrom }] = await Promise.all([import("./files/container-root.ts"), import("./files/copy-from.ts")]);
    await using root = await openContainerRoot(this.#hostOf(), container);
    this.#tell(root.record, "archive-path");
    yield* archiveFrom(root, container, path, followLink);
  }

  async copyInto(
    container: string,
    source: string | AsyncIterable<Uint8Array>,
    path: string,
    options: ContainerCopyOptions = {},
  ): Promise<{ readonly sizeBytes: number }> {
    const [{ openContainerRoot }, { copyInto, unpackInto }] = await Promise.all([import("./files/container-root.ts"), import("./files/copy-into.ts")]);
    const { followLink = false, archive: toUser = false } = options;
    await using root = await openContainerRoot(this.#hostOf(), container);
    this.#tell(root.record, "extract-to-dir");
    if (typeof source === "string") return { sizeBytes: await copyInto(root, container, { source, destination: path, followLink, toUser }) };
    return { sizeBytes: await unpackInto(root, container, path, source, toUser) };
  }

  async commit(container: string, options: CommitOptions = {}): Promise<Digest> {
    const { commitContainer } = await import("./files/commit-container.ts");
    return await commitContainer(this.#store, this.#hostOf(), await this.#require(container), options);
  }

  async *export(container: string): AsyncGenerator<Uint8Array> {
    const record = await this.#require(container);
    this.#tell(record, "export");
    yield* exportContainer(record);
  }

  async prune(options: { readonly filters?: Filters } = {}): Promise<{ readonly removed: readonly string[]; readonly reclaimedBytes: number }> {
    const { pruneContainers } = await import("./prune-containers.ts");
    const containers = await this.list({ all: true, ...(options.filters === undefined ? {} : { filters: options.filters }) });
    return await pruneContainers({ store: this.#store, records: this.#records, remove: (id) => this.remove(id) }, containers);
  }
}
