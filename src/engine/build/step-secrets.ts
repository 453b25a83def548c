/** Secrets and agents of one build: asked for when a step needs them, kept in memory only. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { errnoOf, SlipwayError } from "../../base/errors.ts";
import type { StepSecrets } from "../../solver/given-mounts.ts";
import type { SecretSource, SshSource } from "../api.ts";

const maxSecretBytes = 500 * 1024;

/** Fails at once with SECRET_FILE (not_found) when a named file or variable is missing, as buildx does. */
export function checkSecrets(secrets: readonly SecretSource[]): void {
  for (const { id, file } of secrets) {
    if (file === undefined) continue;
    const stat = statSync(file, { throwIfNoEntry: false });
    if (stat === undefined) throw new SlipwayError("not_found", "SECRET_FILE", `failed to stat ${file}: stat ${file}: no such file or directory`, { id, file });
    if (stat.size > maxSecretBytes)
      throw new SlipwayError("invalid_argument", "SECRET_TOO_LARGE", `secret ${id} too big. max size ${maxSecretBytes} bytes`, { id, size: stat.size });
  }
}

export class BuildSecrets implements StepSecrets, Disposable {
  readonly #secrets: ReadonlyMap<string, SecretSource>;
  readonly #ssh: ReadonlyMap<string, SshSource>;
  readonly #agents: ChildProcess[] = [];
  readonly #socketPath: (label: string) => string;
  readonly #sockets = new Map<string, Promise<string | undefined>>();

  constructor(secrets: readonly SecretSource[], ssh: readonly SshSource[], socketPath: (label: string) => string) {
    this.#secrets = new Map(secrets.map((secret) => [secret.id, secret]));
    this.#ssh = new Map(ssh.map((source) => [source.id, source]));
    this.#socketPath = socketPath;
  }

  async secret(id: string): Promise<Uint8Array | undefined> {
    const source = this.#secrets.get(id);
    if (source === undefined) return undefined;
    if (source.value !== undefined) {
      const value = typeof source.value === "function" ? await source.value() : source.value;
      return typeof value === "string" ? Buffer.from(value) : value;
    }
    if (source.env !== undefined) {
      // as with Docker, a variable that is not set is an empty secret
      return Buffer.from(process.env[source.env] ?? "");
    }
    try {
      return readFileSync(source.file ?? id);
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return undefined;
      throw error;
    }
  }

  ssh(id: string): Promise<string | undefined> {
    let socket = this.#sockets.get(id);
    if (socket === undefined) this.#sockets.set(id, (socket = this.#openAgent(id)));
    return socket;
  }

  async #openAgent(id: string): Promise<string | undefined> {
    const source = this.#ssh.get(id);
    if (source === undefined) return undefined;
    const [first] = source.paths.length > 0 ? source.paths : [process.env["SSH_AUTH_SOCK"] ?? ""];
    if (first === undefined || first === "") {
      throw new SlipwayError("failed_precondition", "SSH_AGENT_MISSING", "invalid empty ssh agent socket, make sure SSH_AUTH_SOCK is set", { id });
    }
    const stat = statSync(first, { throwIfNoEntry: false });
    if (stat === undefined) throw new SlipwayError("not_found", "SSH_AGENT_MISSING", `failed to stat ${first}: no such file or directory`, { id, path: first });
    return stat.isSocket() ? first : await this.#startAgent(source.paths);
  }

  /** An agent of the build's own that holds the named keys and ends with the build. */
  async #startAgent(keys: readonly string[]): Promise<string> {
    const socket = this.#socketPath("agent");
    const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
    this.#agents.push(agent);
    await new Promise<void>((resolve, reject) => {
      agent.on("error", (error) =>
        reject(
          new SlipwayError(
            "failed_precondition",
            "SSH_AGENT_MISSING",
            `cannot start ssh-agent: ${error.message}`,
            { remedy: "apt-get install openssh-client" },
            error,
          ),
        ),
      );
      agent.on("spawn", resolve);
    });
    for (let tries = 0; !existsSync(socket) && tries < 200; tries++) await new Promise((resolve) => setTimeout(resolve, 10));
    for (const key of keys) {
      const added = spawnSync("ssh-add", ["-q", key], {
        env: { ...process.env, SSH_AUTH_SOCK: socket, SSH_ASKPASS: "/bin/false" },
        stdio: ["ignore", "ignore", "pipe"],
      });
      if (added.status !== 0) throw new SlipwayError("invalid_argument", "SSH_KEY", `failed to add key ${key}: ${String(added.stderr).trim()}`, { key });
    }
    return socket;
  }

  [Symbol.dispose](): void {
    for (const agent of this.#agents) agent.kill("SIGTERM");
  }
}
