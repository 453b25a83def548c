/** A registry of one's own in this process, in memory or in a directory, that fails where a test wants it to. */
import type { AccessControl } from "../distribution/access.ts";
import { openAccess } from "../distribution/access.ts";
import { createBasicAccess } from "../distribution/basic-access.ts";
import { createDiskStorage } from "../distribution/disk-storage.ts";
import { startHttpServer, type HttpServer, type Serve, type TlsFiles } from "../distribution/http-server.ts";
import { createMemoryStorage } from "../distribution/memory-storage.ts";
import { createDistribution, type DistributionOptions } from "../distribution/registry.ts";
import type { DistributionStorage } from "../distribution/storage.ts";
import { createTokenAccess, type TokenOptions } from "../distribution/token-access.ts";
import { createUsers, type Grant } from "../distribution/users.ts";
import { applyFault, type Outcome } from "./apply-fault.ts";
import { createFaultRules, type FaultRule } from "./fault.ts";

export interface LoggedRequest {
  readonly method: string;
  /** path and query as sent */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** "storage" is the address that redirects lead to */
  readonly host: "registry" | "storage";
  /** undefined while it runs and when the connection was broken instead of an answer */
  readonly status: number | undefined;
  /** bytes of the request's body that were read */
  readonly receivedBytes: number;
}

export type Login =
  | { readonly type: "basic"; readonly users: Readonly<Record<string, string>>; readonly grant?: Grant }
  | ({ readonly type: "token"; readonly users: Readonly<Record<string, string>>; readonly grant?: Grant } & TokenOptions);

export interface RegistryOptions extends Omit<DistributionOptions, "access"> {
  /** keeps everything below this directory, also over a restart; in memory when absent */
  readonly directory?: string;
  /** nobody is asked who they are when absent */
  readonly login?: Login;
  readonly tls?: TlsFiles;
  readonly port?: number;
  readonly faults?: readonly FaultRule[];
}

export interface TestRegistry extends AsyncDisposable {
  /** as in references: "127.0.0.1:41234" */
  readonly host: string;
  readonly url: string;
  /** every request from the first on, in the order of arrival */
  readonly requests: readonly LoggedRequest[];
  readonly storage: DistributionStorage;
  /** from the next request on; rules that match count from now */
  addFault(rule: FaultRule): void;
  clearFaults(): void;
  clearRequests(): void;
  close(): Promise<void>;
}

function accessOf(login: Login | undefined): AccessControl {
  if (login === undefined) return openAccess;
  const users = createUsers(login.users, login.grant);
  return login.type === "basic" ? createBasicAccess(users) : createTokenAccess(users, login);
}

interface Entry {
  method: string;
  url: string;
  headers: Readonly<Record<string, string | undefined>>;
  host: "registry" | "storage";
  status: number | undefined;
  receivedBytes: number;
}

/** Adds each request to the log before it is answered. */
function logging(requests: Entry[], host: "registry" | "storage", serve: Serve): Serve {
  return async (request, signal) => {
    const query = request.query.size === 0 ? "" : `?${request.query.toString()}`;
    const entry: Entry = { method: request.method, url: request.path + query, headers: request.headers, host, status: undefined, receivedBytes: 0 };
    requests.push(entry);
    async function* body(): AsyncGenerator<Uint8Array> {
      for await (const chunk of request.body) {
        entry.receivedBytes += chunk.length;
        yield chunk;
      }
    }
    const outcome = await serve({ ...request, body: body() }, signal);
    if (outcome !== "hang up") entry.status = outcome.status;
    return outcome;
  };
}

/**
 * @example
 * await using registry = await startRegistry({ faults: [{ method: "PATCH", nth: 1, fault: { type: "cut-upload", afterBytes: 1000 } }] });
 * // push to `${registry.host}/app:1`, then look at registry.requests
 */
export async function startRegistry(options: RegistryOptions = {}): Promise<TestRegistry> {
  const { directory, login, tls, port, faults = [], ...distribution } = options;
  const storage = directory === undefined ? createMemoryStorage() : createDiskStorage(directory);
  const respond = createDistribution(storage, { delete: true, ...distribution, access: accessOf(login) });
  const respondOpenly = createDistribution(storage, { readOnly: true });
  const rules = createFaultRules(faults);
  const requests: Entry[] = [];
  let storageServer: Promise<HttpServer> | undefined;

  const serveStorage = logging(requests, "storage", respondOpenly);
  const storageUrl = async (): Promise<string> => {
    storageServer ??= startHttpServer(serveStorage, tls === undefined ? {} : { tls });
    return (await storageServer).url;
  };

  const serve: Serve = (request, signal) => {
    const around = { signal, storageUrl };
    let next: (one: typeof request) => Promise<Outcome> = respond;
    for (const fault of rules.of(request).toReversed()) {
      const inner = next;
      next = (one) => applyFault(fault, one, inner, around);
    }
    return next(request);
  };

  const server = await startHttpServer(logging(requests, "registry", serve), {
    ...(tls === undefined ? {} : { tls }),
    ...(port === undefined ? {} : { port }),
  });
  async function close(): Promise<void> {
    await Promise.all([server.close(), storageServer?.then((one) => one.close())]);
  }
  return {
    host: server.host,
    url: server.url,
    requests,
    storage,
    addFault: (rule) => rules.add(rule),
    clearFaults: () => rules.clear(),
    clearRequests: () => void requests.splice(0),
    close,
    [Symbol.asyncDispose]: close,
  };
}
