/** The registry's API over a storage: routes, rights, answers. @see distribution-spec v1.1, "API" */
import { openAccess, type AccessControl, type Need } from "./access.ts";
import { json, refuse, type Answer, type DistributionRequest, type Respond } from "./answer.ts";
import { deleteBlob, getBlob } from "./blobs.ts";
import { deleteManifest, getManifest, listReferrers, putManifest } from "./manifests.ts";
import { pageOf } from "./pages.ts";
import { parseRoute, type Route } from "./route.ts";
import type { DistributionStorage } from "./storage.ts";
import { createUploads } from "./uploads.ts";

export interface DistributionOptions {
  readonly access?: AccessControl;
  /** DELETE of tags, manifests and blobs is answered by 405 when false, the default */
  readonly delete?: boolean;
  /** pushes are answered by 405 */
  readonly readOnly?: boolean;
  /** a tag cannot be moved to another manifest */
  readonly immutableTags?: boolean;
  /** false: the referrers API answers 404, as registries before version 1.1 do */
  readonly referrers?: boolean;
  /** false: mounts become uploads, as the specification allows */
  readonly mount?: boolean;
  /** sent as OCI-Chunk-Min-Length; 0, the default, sends none */
  readonly chunkMinBytes?: number;
  /** 64 GiB by default */
  readonly maxBlobBytes?: number;
}

const unsupported = (): Answer => refuse(405, "UNSUPPORTED", "The operation is unsupported.");

/** What a request needs; undefined when the route has no such method. */
function needOf(route: Route, request: DistributionRequest): Need | undefined {
  const { method, query } = request;
  const reads = method === "GET" || method === "HEAD";
  if (route.type === "base") return reads ? { actions: [] } : undefined;
  if (route.type === "catalog") return reads ? { actions: [], isCatalog: true } : undefined;
  const { repository } = route;
  const from = query.get("from");
  switch (route.type) {
    case "tags":
    case "referrers":
      return reads ? { repository, actions: ["pull"] } : undefined;
    case "uploads":
      return method === "POST" ? { repository, actions: ["pull", "push"], ...(from === null ? {} : { mountFrom: from }) } : undefined;
    case "upload":
      return ["GET", "PATCH", "PUT", "DELETE"].includes(method) ? { repository, actions: ["pull", "push"] } : undefined;
    case "manifest":
      if (method === "PUT") return { repository, actions: ["pull", "push"] };
      break;
    case "blob":
      break;
  }
  if (method === "DELETE") return { repository, actions: ["delete"] };
  return reads ? { repository, actions: ["pull"] } : undefined;
}

/** Answers every request; fails only where the storage or the connection does. */
export function createDistribution(storage: DistributionStorage, options: DistributionOptions = {}): Respond {
  const { access = openAccess, readOnly = false, immutableTags = false, referrers = true, mount = true } = options;
  const { chunkMinBytes = 0, maxBlobBytes = 64 * 2 ** 30 } = options;
  const uploads = createUploads(storage, { maxBlobBytes, chunkMinBytes });
  const mayDelete = options.delete === true && !readOnly;

  async function upload(request: DistributionRequest, repository: string, id: string): Promise<Answer> {
    if (request.method === "GET") return uploads.status(repository, id);
    if (request.method === "PATCH") return uploads.patch(request, repository, id);
    return request.method === "PUT" ? uploads.finish(request, repository, id) : uploads.cancel(repository, id);
  }

  /** Without the right to pull from there a mount is an upload: whether the blob exists stays untold. */
  async function mayMount(request: DistributionRequest): Promise<boolean> {
    const from = request.query.get("from");
    return mount && from !== null && (await access.check(request, { repository: from, actions: ["pull"] })) === undefined;
  }

  async function tags(request: DistributionRequest, repository: string): Promise<Answer> {
    const all = await storage.tags(repository);
    if (all === undefined) return refuse(404, "NAME_UNKNOWN", "repository name not known to registry", { name: repository });
    return pageOf(all, request.query, `/v2/${repository}/tags/list`, (page) => ({ name: repository, tags: page }));
  }

  async function perform(route: Route, request: DistributionRequest): Promise<Answer> {
    switch (route.type) {
      case "base":
        return json(200, {});
      case "catalog":
        return pageOf(await storage.repositories(), request.query, "/v2/_catalog", (repositories) => ({ repositories }));
      case "tags":
        return tags(request, route.repository);
      case "referrers":
        return referrers ? listReferrers(storage, request, route.repository, route.digest) : refuse(404, "UNSUPPORTED", "404 page not found");
      case "uploads":
        return uploads.begin(request, route.repository, await mayMount(request));
      case "upload":
        return upload(request, route.repository, route.id);
      case "blob":
        return request.method === "DELETE" ? deleteBlob(storage, route.repository, route.digest) : getBlob(storage, request, route.repository, route.digest);
      case "manifest":
        if (request.method === "PUT") return putManifest(storage, request, route.repository, route.name, { immutableTags, referrers });
        if (request.method === "DELETE") return deleteManifest(storage, route.repository, route.name);
        return getManifest(storage, request, route.repository, route.name);
    }
  }

  async function answer(request: DistributionRequest): Promise<Answer> {
    const login = await access.endpoint?.(request);
    if (login !== undefined) return login;
    const route = parseRoute(request.path);
    if ("status" in route) return route;
    const need = needOf(route, request);
    if (need === undefined) return unsupported();
    const refused = await access.check(request, need);
    if (refused !== undefined) return refused;
    if (readOnly && need.actions.includes("push")) return unsupported();
    if (!mayDelete && need.actions.includes("delete")) return unsupported();
    return perform(route, request);
  }

  return async (request) => {
    const made = await answer(request);
    return { ...made, headers: { "docker-distribution-api-version": "registry/2.0", ...made.headers } };
  };
}
