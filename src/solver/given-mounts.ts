/** Mounts of what only the caller has: secrets in memory, agents' sockets. Undone by dispose. */
import { chmodSync, chownSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SlipwayError } from "../base/errors.ts";
import type { ExecMount } from "../graph/op.ts";
import type { SpecMount } from "../runtime/spec-options.ts";
import { mountTmpfs, unmount } from "../store/overlay.ts";
import { relayAgent } from "./agent-relay.ts";

export type GivenMount = Extract<ExecMount, { type: "secret" | "ssh" }>;

export interface StepSecrets {
  /** undefined: there is no such secret */
  readonly secret: (id: string) => Promise<Uint8Array | undefined>;
  /** path of an agent's socket; undefined: nothing was forwarded under the id */
  readonly ssh: (id: string) => Promise<string | undefined>;
}

export class GivenMounts implements Disposable {
  /** variables that hold secrets */
  readonly env: string[] = [];
  readonly #directory: string;
  readonly #relays: Disposable[] = [];
  #secretsDirectory: string | undefined;
  #count = 0;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** No mount where it was not given and is not required. Fails with SECRET_NOT_FOUND, SSH_NOT_FORWARDED (not_found). */
  async add(mount: GivenMount, secrets: StepSecrets): Promise<readonly SpecMount[]> {
    return mount.type === "secret" ? await this.#secret(mount, secrets) : await this.#ssh(mount, secrets);
  }

  async #secret(mount: Extract<GivenMount, { type: "secret" }>, secrets: StepSecrets): Promise<readonly SpecMount[]> {
    const value = await secrets.secret(mount.id);
    if (value === undefined) {
      if (mount.required)
        throw new SlipwayError("not_found", "SECRET_NOT_FOUND", `secret ${mount.id}: not found`, {
          id: mount.id,
          remedy: `pass it with --secret id=${mount.id},src=FILE`,
        });
      return [];
    }
    if (mount.env !== undefined) this.env.push(`${mount.env}=${Buffer.from(value).toString()}`);
    if (mount.target === undefined) return [];
    const file = join(this.#inMemory(), `secret-${this.#count++}`);
    writeFileSync(file, value, { mode: 0o600 });
    chownSync(file, mount.uid, mount.gid);
    chmodSync(file, mount.mode);
    return [{ kind: "bind", source: file, destination: mount.target, readOnly: true, sourceKind: "file", options: ["nosuid", "nodev", "noexec"] }];
  }

  /** Secrets never touch the disk: they lie on a tmpfs that only this process and its children see. */
  #inMemory(): string {
    if (this.#secretsDirectory === undefined) {
      this.#secretsDirectory = join(this.#directory, "secrets");
      mkdirSync(this.#secretsDirectory, { mode: 0o711 });
      mountTmpfs({ target: this.#secretsDirectory, mode: 0o711 });
    }
    return this.#secretsDirectory;
  }

  async #ssh(mount: Extract<GivenMount, { type: "ssh" }>, secrets: StepSecrets): Promise<readonly SpecMount[]> {
    const socket = await secrets.ssh(mount.id);
    if (socket === undefined) {
      if (mount.required)
        throw new SlipwayError("not_found", "SSH_NOT_FORWARDED", `unset ssh forward key ${mount.id}`, {
          id: mount.id,
          remedy: `pass it with --ssh ${mount.id}`,
        });
      return [];
    }
    const source = join(this.#directory, `agent-${this.#count++}`);
    this.#relays.push(await relayAgent(socket, source, mount));
    return [{ kind: "bind", source, destination: mount.target, readOnly: false, sourceKind: "file" }];
  }

  [Symbol.dispose](): void {
    if (this.#secretsDirectory !== undefined) unmount(this.#secretsDirectory);
    for (const relay of this.#relays) relay[Symbol.dispose]();
  }
}
