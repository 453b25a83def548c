/**
 * Credentials that are kept: in Docker's config.json or a containers auth.json, or in the credential helper that the file names.
 * What the file holds besides stays as it is. @see docker docs, "docker login"; containers-auth.json(5)
 */
import { accessSync, closeSync, constants, fsyncSync, openSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { makeDirectories } from "../base/make-directories.ts";
import { SlipwayError, errnoOf } from "../base/errors.ts";
import type { Env } from "./config-files.ts";
import type { Credential } from "./credentials.ts";
import { hubKey, isHubName, noName } from "./credentials.ts";
import type { ChangeHelper } from "./credential-helper.ts";
import { withFileLock } from "./file-lock.ts";

/** Where a credential went. */
export type KeptIn =
  /** `password`: the file holds one that it did not hold before, as plain text; tokens are none */
  { readonly kind: "file"; readonly path: string; readonly isNew: boolean; readonly password: boolean } | { readonly kind: "helper"; readonly helper: string };

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
  /** how long another process that writes the file is waited for; five seconds when absent */
  readonly lockWaitMs?: number;
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

/** A machine that loses power keeps the old file or the new one, never an empty one. */
function writeDurably(path: string, text: string): void {
  const file = openSync(path, "w", 0o600);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function changeConfig<T>(path: string, lockWaitMs: number, change: (config: Json) => { readonly value: T; readonly write: boolean }): T {
  const target = targetOf(path);
  try {
    makeDirectories(dirname(target), 0o700);
  } catch (error) {
    throw fileError(path, error);
  }
  const locked = (): T => {
    const config = readConfig(target);
    const { value, write } = change(config);
    if (!write) return value;
    const partial = `${target}.${process.pid}.tmp`;
    try {
      writeDurably(partial, JSON.stringify(config, null, "\t"));
      renameSync(partial, target);
    } catch (error) {
      rmSync(partial, { force: true });
      throw fileError(path, error);
    }
    return value;
  };
  try {
    return withFileLock(target, lockWaitMs, locked);
  } catch (error) {
    throw error instanceof SlipwayError ? error : fileError(path, error);
  }
}

function entryOf(credential: Credential): Json {
  switch (credential.kind) {
    case "basic":
      return { auth: Buffer.from(`${credential.username}:${credential.password}`).toString("base64") };
    case "identity":
      return { auth: Buffer.from(`${credential.username ?? noName}:`).toString("base64"), identitytoken: credential.token };
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

export function createCredentialKeeper({ env, home, change, path: given, lockWaitMs = 5_000 }: KeeperOptions): CredentialKeeper {
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
      return changeConfig<KeptIn>(path, lockWaitMs, (now) => {
        const auths = isObject(now["auths"]) ? now["auths"] : {};
        const entry = helper === undefined ? entryOf(credential) : {};
        const key = serverKey(host);
        const isNew = JSON.stringify(auths[key]) !== JSON.stringify(entry);
        auths[key] = entry;
        now["auths"] = auths;
        if (detected !== undefined) now["credsStore"] = detected;
        if (helper !== undefined) return { value: { kind: "helper", helper }, write: true };
        return { value: { kind: "file", path, isNew, password: isNew && credential.kind === "basic" }, write: true };
      });
    },
    async erase(host) {
      const config = readConfig(targetOf(path));
      const helper = helperOf(config, host);
      if (helper !== undefined) await change(helper, "erase", serverKey(host));
      const auths = isObject(config["auths"]) ? config["auths"] : {};
      const here = keysOf(auths, host).length > 0;
      if (!here) return helper !== undefined;
      return changeConfig(path, lockWaitMs, (now) => {
        const current = isObject(now["auths"]) ? now["auths"] : {};
        for (const key of keysOf(current, host)) delete current[key];
        now["auths"] = current;
        return { value: true, write: true };
      });
    },
  };
}
