/** What a build was asked for, in the words that buildx and BuildKit's frontend have for it. Values of secrets are not among them. */
import type { ExecMount } from "../../graph/op.ts";
import type { Vertex } from "../../graph/vertex.ts";
import type { BuildOptions } from "../api.ts";
import type { BuildFacts } from "./build-facts.ts";
import { withoutCredentials } from "./materials.ts";

export interface BuildRequest {
  readonly args: Readonly<Record<string, string>>;
  readonly secrets: readonly object[];
  readonly ssh: readonly object[];
  /** directories of this machine that the build read */
  readonly locals: readonly { readonly name: string }[];
}

export function requestOf(options: BuildOptions, vertices: readonly Vertex[], facts: BuildFacts): BuildRequest {
  const mounts = vertices.flatMap(({ op }) => (op.type === "exec" ? op.mounts : []));
  const contexts = vertices.flatMap(({ op }) => (op.type === "local" && op.name !== "context" ? [op.name] : []));
  const own = facts.contextSource === undefined ? ["context", "dockerfile"] : options.dockerfile?.kind === "text" ? ["dockerfile"] : [];
  return {
    args: sorted(argumentsOf(options)),
    secrets: mountedOf(mounts, "secret"),
    ssh: mountedOf(mounts, "ssh"),
    locals: [...new Set([...own, ...contexts])].sort().map((name) => ({ name })),
  };
}

function argumentsOf(options: BuildOptions): Record<string, string> {
  const { buildArgs = {}, labels = {}, buildContexts = {}, addHosts = [], ulimits = [], network, noCache, noCacheFilter = [], shmSizeBytes, target } = options;
  const args: Record<string, string> = {};
  for (const [name, value] of Object.entries(buildArgs)) args[`build-arg:${name}`] = value;
  for (const [name, value] of Object.entries(labels)) args[`label:${name}`] = value;
  for (const [name, value] of Object.entries(buildContexts))
    args[`context:${name}`] = /^[a-z][a-z0-9+.-]*:\/\/|^git@/.test(value) ? withoutCredentials(value) : `local:${name}`;
  if (target !== undefined && target !== "") args["target"] = target;
  if (addHosts.length > 0) args["add-hosts"] = addHosts.map((host) => host.replace(/^([^:=]+):/, "$1=")).join(",");
  if (network !== undefined && network !== "default") args["force-network-mode"] = network;
  if (noCache === true) args["no-cache"] = "";
  else if (noCacheFilter.length > 0) args["no-cache"] = noCacheFilter.join(",");
  if (shmSizeBytes !== undefined) args["shm-size"] = String(shmSizeBytes);
  if (ulimits.length > 0) args["ulimit"] = ulimits.join(",");
  if (options.frozen === true) args["slipway:frozen"] = "true";
  if (options.squash === true || options.squash === "own") args["slipway:squash"] = "own";
  return args;
}

/** Required by one step, required by the build. */
function mountedOf(mounts: readonly ExecMount[], type: "secret" | "ssh"): readonly object[] {
  const required = new Map<string, boolean>();
  for (const mount of mounts) if (mount.type === type) required.set(mount.id, mount.required || required.get(mount.id) === true);
  return [...required].sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, isRequired]) => (isRequired ? { id } : { id, optional: true }));
}

function sorted(record: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const private_ = /^(?:build-arg|label):/;

/** What `mode=min` leaves out: values, and names of secrets. */
export function withoutValues(request: BuildRequest): { readonly request: BuildRequest; readonly isComplete: boolean } {
  const kept = Object.entries(request.args).filter(([name]) => !private_.test(name));
  return {
    request: { ...request, args: Object.fromEntries(kept), secrets: [], ssh: [] },
    isComplete: kept.length === Object.keys(request.args).length,
  };
}
