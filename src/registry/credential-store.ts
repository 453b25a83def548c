/**
 * Credentials that are kept: in Docker's config.json or a containers auth.json, or in the credential helper that the file names.
 * What the file holds besides stays as it is. @see docker docs, "docker login"; containers-auth.json(5)
 */
import { accessSync, closeSync, constants, openSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { makeDirectories } from "../base/make-directories.ts";
import { SlipwayError, errnoOf } from "../base/errors.ts";
import type { Env } from "./config-files.ts";
import type { Credential } from "./credentials.ts";
import { hubKey, isHubName } from "./credentials.ts";
import type { ChangeHelper } from "./credential-helper.ts";

/** Where a credential went. */
export type KeptIn = { readonly kind: "file"; readonly path: string; readonly isNew: boolean } | { readonly kind: "helper"; readonly helper: string };

export interface CredentialKeeper {
  readonly path: string;
  /**
   * Fails with CREDENTIAL_HELPER_FAILED (failed_precondition) where a helper is configured and does not take it: it is never written to
   * the file instead.
   */
  save(host: string, credential: Credential): Promise<KeptIn>;
  /** Whether there was something to remove. */
  erase(host: string): Promise<boolean>;
}

export interface KeeperOptions {
  readonly env: Env;
  readonly home: string;
  readonly change: ChangeHelper;
  /** another file than the environment's */
  readonly path?: string | undefined;
}

type Json = { [key: string]: unknown };

/** The key that Docker writes for a registry. */
export function serverKey(host: string): string {
  return isHubName(host) ? hubKey : host;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Fails with INVALID_DOCUMENT (invalid_argument); no message repeats what is in the file. */
function readConfig(path: string): Json {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return {};
    throw new SlipwayError("denied", "CREDENTIAL_FILE", `${path} cannot be read: ${errnoOf(error) ?? "unknown"}`, { path }, error);
  }
  if (text.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch {
    // said below, without the content
  }
  throw new SlipwayError("invalid_argument", "INVALID_DOCUMENT", `${path} is not a JSON object`, { path, remedy: "mend it or move it away" });
}

const lockWaitMs = 5_000;
/** a lock this old was left by a process that died */
const lockStaleMs = 30_000;

/** One writer at a time: two logins at once must not lose one of them. */
function locked<T>(path: string, body: () => T): T {
  const lock = `${path}.lock`;
  const end = Date.now() + lockWaitMs;
  for (;;) {
    try {
      closeSync(openSync(lock, "wx", 0o600));
      break;
    } catch (error) {
      if (errnoOf(error) !== "EEXIST") throw fileError(path, error);
      const age = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? 0);
      if (age > lockStaleMs) rmSync(lock, { force: true });
      else if (Date.now() > end) throw new SlipwayError("unavailable", "CREDENTIAL_FILE", `${lock} is held by another process`, { path: lock });
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
  try {
    return body();
  } finally {
    rmSync(lock, { force: true });
  }
}

function fileError(path: string, error: unknown): SlipwayError {
  return new SlipwayError("denied", "CREDENTIAL_FILE", `error saving credentials: ${path}: ${errnoOf(error) ?? String(error)}`, { path }, error);
}

/** A link to the file stays one. */
function targetOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function changeConfig<T>(path: string, change: (config: Json) => { readonly value: T; readonly write: boolean }): T {
  const target = targetOf(path);
  try {
    makeDirectories(dirname(target), 0o700);
  } catch (error) {
    throw fileError(path, error);
  }
  return locked(target, () => {
    const config = readConfig(target);
    const { value, write } = change(config);
    if (!write) return value;
    const partial = `${target}.${process.pid}.tmp`;
    try {
      writeFileSync(partial, JSON.stringify(config, null, "\t"), { mode: 0o600 });
      renameSync(partial, target);
    } catch (error) {
      rmSync(partial, { force: true });
      throw fileError(path, error);
    }
    return value;
  });
}

function entryOf(credential: Credential): Json {
  switch (credential.kind) {
    case "basic":
      return { auth: Buffer.from(`${credential.username}:${credential.password}`).toString("base64") };
    case "identity":
      return { auth: Buffer.from(`${credential.username ?? "00000000-0000-0000-0000-000000000000"}:`).toString("base64"), identitytoken: credential.token };
    case "bearer":
      return { registrytoken: credential.token };
  }
}

/** The entries that stand for the host, whatever they are called. */
function keysOf(auths: Json, host: string): readonly string[] {
  const want = serverKey(host);
  return Object.keys(auths).filter((key) => {
    const bare = key.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
    return key === want || bare === host || (isHubName(host) && isHubName(bare));
  });
}

function findProgram(env: Env, name: string): boolean {
  return (env["PATH"] ?? "").split(":").some((directory) => {
    try {
      accessSync(join(directory, name), constants.X_OK);
      return directory !== "";
    } catch {
      return false;
    }
  });
}

/** As Docker: a file without credentials and without a store gets the machine's helper, where it has one. */
function detectStore(env: Env, config: Json): string | undefined {
  if (isObject(config["auths"]) && Object.keys(config["auths"]).length > 0) return undefined;
  const helper = findProgram(env, "pass") ? "pass" : "secretservice";
  return findProgram(env, `docker-credential-${helper}`) ? helper : undefined;
}

/** `credHelpers` may name a helper for the registry, `credsStore` one for all. */
function helperOf(config: Json, host: string): string | undefined {
  const helpers = isObject(config["credHelpers"]) ? config["credHelpers"] : {};
  const own = helpers[serverKey(host)] ?? helpers[host];
  const helper = typeof own === "string" ? own : config["credsStore"];
  return typeof helper === "string" && helper !== "" ? helper : undefined;
}

export function createCredentialKeeper({ env, home, change, path: given }: KeeperOptions): CredentialKeeper {
  const path = given ?? (env["REGISTRY_AUTH_FILE"] || `${env["DOCKER_CONFIG"] || `${home}/.docker`}/config.json`);

  async function saveToHelper(helper: string, host: string, credential: Exclude<Credential, { kind: "bearer" }>): Promise<void> {
    const [username, secret] = credential.kind === "basic" ? [credential.username, credential.password] : ["<token>", credential.token];
    await change(helper, "store", JSON.stringify({ ServerURL: serverKey(host), Username: username, Secret: secret }));
  }

  return {
    path,
    async save(host, credential) {
      const config = readConfig(targetOf(path));
      const detected = helperOf(config, host) === undefined && given === undefined ? detectStore(env, config) : undefined;
      const helper = helperOf(config, host) ?? detected;
      if (helper !== undefined && credential.kind !== "bearer") await saveToHelper(helper, host, credential);
      return changeConfig(path, (now) => {
        const auths = isObject(now["auths"]) ? now["auths"] : {};
        const entry = helper === undefined ? entryOf(credential) : {};
        const key = serverKey(host);
        const isNew = JSON.stringify(auths[key]) !== JSON.stringify(entry);
        auths[key] = entry;
        now["auths"] = auths;
        if (detected !== undefined) now["credsStore"] = detected;
        return { value: helper === undefined ? { kind: "file", path, isNew } : { kind: "helper", helper }, write: true } as const;
      });
    },
    async erase(host) {
      const config = readConfig(targetOf(path));
      const helper = helperOf(config, host);
      if (helper !== undefined) await change(helper, "erase", serverKey(host));
      const auths = isObject(config["auths"]) ? config["auths"] : {};
      const here = keysOf(auths, host).length > 0;
      if (!here) return helper !== undefined;
      return changeConfig(path, (now) => {
        const current = isObject(now["auths"]) ? now["auths"] : {};
        for (const key of keysOf(current, host)) delete current[key];
        now["auths"] = current;
        return { value: true, write: true };
      });
    },
  };
}
