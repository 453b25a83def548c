/**
 * Who we are at a registry: Docker's config.json and the containers tools' auth.json, with their credential helpers.
 * @see docker docs, "docker login"; containers-auth.json(5)
 */
import { Fields, parseJsonObject } from "../oci/bounded-json.ts";
import type { ConfigFiles, Env } from "./config-files.ts";
import type { RunHelper } from "./credential-helper.ts";

export type Credential =
  | { readonly kind: "basic"; readonly username: string; readonly password: string }
  /** exchanged for access tokens at the registry's token server */
  | { readonly kind: "identity"; readonly token: string; readonly username?: string }
  /** sent as it is */
  | { readonly kind: "bearer"; readonly token: string };

export interface CredentialSource {
  /**
   * `host` as in a reference ("docker.io", "localhost:5000"). Undefined where nothing is known.
   * Fails with CREDENTIAL_HELPER_FAILED (failed_precondition) or INVALID_DOCUMENT (invalid_argument).
   */
  lookup(host: string, repository: string, signal?: AbortSignal): Promise<Credential | undefined>;
  /** After a lookup: each source that was tried, and why it was not used; no secret in it. */
  explain?(host: string): readonly string[];
}

export const anonymous: CredentialSource = { lookup: () => Promise.resolve(undefined) };

interface AuthFile {
  readonly entries: ReadonlyMap<string, Credential>;
  readonly helpers: ReadonlyMap<string, string>;
  readonly store: string | undefined;
}

/** in the place of a user's name where only a token is known */
export const noName = "00000000-0000-0000-0000-000000000000";

export const hubKey = "https://index.docker.io/v1/";
const hubNames = new Set(["docker.io", "index.docker.io", "registry-1.docker.io"]);

export function isHubName(host: string): boolean {
  return hubNames.has(host);
}

/** Keys were written as URLs once: `https://index.docker.io/v1/` and `docker.io` are the same. */
function normalizeKey(key: string): string {
  const hasScheme = /^https?:\/\//.test(key);
  const bare = key.replace(/^https?:\/\//, "").replace(/\/+$/, "");
  const name = hasScheme ? (bare.split("/")[0] ?? bare) : bare.replace(/\/v[12]$/, "");
  return hubNames.has(name) ? "docker.io" : name;
}

function readEntry(fields: Fields): Credential | undefined {
  const identity = fields.string("identitytoken");
  if (identity) {
    const name =
      Buffer.from(fields.string("auth") ?? "", "base64")
        .toString("utf8")
        .split(":")[0] ?? "";
    return name === "" || name === noName ? { kind: "identity", token: identity } : { kind: "identity", token: identity, username: name };
  }
  const bearer = fields.string("registrytoken");
  if (bearer) return { kind: "bearer", token: bearer };
  const auth = Buffer.from(fields.string("auth") ?? "", "base64").toString("utf8");
  const colon = auth.indexOf(":");
  const username = colon === -1 ? (fields.string("username") ?? "") : auth.slice(0, colon);
  const password = colon === -1 ? (fields.string("password") ?? "") : auth.slice(colon + 1).replace(/\0+$/, "");
  return username === "" ? undefined : { kind: "basic", username, password };
}

/** What Docker's web-based login keeps beside the password; registries do not take it. */
const ofWebLogin = /^https:\/\/index\.docker\.io\/v1\/(?:access|refresh)-token$/;

/** Fails with INVALID_DOCUMENT (invalid_argument), naming the file; no message repeats its content. */
export function parseAuthFile(text: string, path: string): AuthFile {
  const fields = new Fields(parseJsonObject(Buffer.from(text), path, { maxBytes: 1024 * 1024, maxDepth: 16 }), path);
  const auths = fields.child("auths");
  const entries = new Map<string, Credential>();
  for (const key of Object.keys(auths?.object ?? {})) {
    if (ofWebLogin.test(key)) continue;
    const entry = auths?.child(key);
    const credential = entry && readEntry(entry);
    if (credential !== undefined) entries.set(normalizeKey(key), credential);
  }
  const helpers = Object.entries(fields.stringMap("credHelpers") ?? {}).map(([key, helper]) => [normalizeKey(key), helper] as const);
  return { entries, helpers: new Map(helpers), store: fields.string("credsStore") || undefined };
}

/** "host/a/b", "host/a", "host": the most precise entry counts, as the containers tools have it. */
function keysFor(host: string, repository: string): readonly string[] {
  const parts = [hubNames.has(host) ? "docker.io" : host, ...repository.split("/")];
  return parts.map((_, i) => parts.slice(0, parts.length - i).join("/"));
}

function fromHelper(answer: { username: string; secret: string }): Credential | undefined {
  if (answer.secret === "") return undefined;
  if (answer.username === "<token>") return { kind: "identity", token: answer.secret };
  return { kind: "basic", username: answer.username, password: answer.secret };
}

async function lookupIn(file: AuthFile, keys: readonly string[], run: RunHelper, signal?: AbortSignal): Promise<Credential | undefined> {
  const host = keys.at(-1) ?? "";
  const helperKey = keys.find((key) => file.helpers.has(key));
  const helper = helperKey === undefined ? file.store : file.helpers.get(helperKey);
  if (helper) {
    const server = helperKey ?? host;
    const answer = await run(helper, server === "docker.io" ? hubKey : server, signal);
    const credential = answer && fromHelper(answer);
    if (credential !== undefined) return credential;
  }
  const key = keys.find((candidate) => file.entries.has(candidate));
  return key === undefined ? undefined : file.entries.get(key);
}

/**
 * config.json's HttpHeaders that reach registries: Docker's daemon hands on what begins with X-Meta-, the others are for the daemon.
 * A file that cannot be read says nothing here: the lookup tells.
 */
export function readMetaHeaders(env: Env, home: string, files: ConfigFiles): Readonly<Record<string, string>> {
  const path = `${env["DOCKER_CONFIG"] || `${home}/.docker`}/config.json`;
  try {
    const text = files.readText(path) ?? "";
    if (!text.includes("HttpHeaders")) return {};
    const fields = new Fields(parseJsonObject(Buffer.from(text), path, { maxBytes: 1024 * 1024, maxDepth: 16 }), path);
    const usable = Object.entries(fields.stringMap("HttpHeaders") ?? {}).filter(
      ([name, value]) => /^x-meta-[\w-]+$/i.test(name) && /^[\t\x20-\x7e]*$/.test(value),
    );
    return Object.fromEntries(usable.map(([name, value]) => [name.toLowerCase(), value]));
  } catch {
    return {};
  }
}

/** holds what a config.json holds, for pipelines that have no file */
const authVariable = "DOCKER_AUTH_CONFIG";

function authPaths(env: Env, home: string): readonly string[] {
  const docker = `${env["DOCKER_CONFIG"] || `${home}/.docker`}/config.json`;
  const runtimeDir = env["XDG_RUNTIME_DIR"];
  const containers = `${env["XDG_CONFIG_HOME"] || `${home}/.config`}/containers/auth.json`;
  return [env["REGISTRY_AUTH_FILE"], docker, runtimeDir && `${runtimeDir}/containers/auth.json`, containers].filter(
    (path) => path !== undefined && path !== "",
  ) as string[];
}

/**
 * The credentials of the machine's user: DOCKER_AUTH_CONFIG's text, REGISTRY_AUTH_FILE, DOCKER_CONFIG or ~/.docker/config.json, then the containers
 * tools' auth.json; the first file that knows the registry counts. Files are read at the first lookup and helpers are
 * asked once for each repository's key, when a registry wants to know who we are and not before.
 */
export function createCredentialSource(env: Env, home: string, files: ConfigFiles, run: RunHelper): CredentialSource {
  let loaded: readonly AuthFile[] | undefined;
  const absent: string[] = [];
  const present: string[] = [];
  function readFiles(): readonly AuthFile[] {
    return authPaths(env, home).flatMap((path) => {
      const text = files.readText(path);
      if (text === undefined || text.trim() === "") {
        absent.push(path);
        return [];
      }
      present.push(path);
      return [parseAuthFile(text, path)];
    });
  }
  /** As Docker has it: what cannot be read there is warned of and passed over. */
  function readVariable(): readonly AuthFile[] {
    const text = env[authVariable] ?? "";
    if (text.trim() === "") return [];
    try {
      const file = parseAuthFile(text, authVariable);
      present.push(authVariable);
      return [file];
    } catch (error) {
      process.emitWarning(`${authVariable} is not used: ${error instanceof Error ? error.message : String(error)}`);
      return [];
    }
  }
  const authFiles = (): readonly AuthFile[] => (loaded ??= [...readVariable(), ...readFiles()]);

  return {
    async lookup(host, repository, signal) {
      const keys = keysFor(host, repository);
      for (const file of authFiles()) {
        const credential = await lookupIn(file, keys, run, signal);
        if (credential !== undefined) return credential;
      }
      return undefined;
    },
    explain: (host) => [...present.map((path) => `${path}: nothing for ${host}`), ...absent.map((path) => `${path}: not there`)],
  };
}
