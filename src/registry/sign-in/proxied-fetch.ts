/** fetch through the proxies of the environment, as the clouds' own tools have it; metadata servers are never asked through one. */
import type { ConfigFiles, Env } from "../config-files.ts";
import { createDispatchers } from "../dispatchers.ts";
import { proxyFor } from "../proxy.ts";
import { readBeginning } from "../read-body.ts";
import { createTransport, defaultTimeouts } from "../transport.ts";

const maxAnswerBytes = 512 * 1024;

function isMetadataHost(host: string): boolean {
  return host.startsWith("169.254.") || host === "metadata.google.internal" || host === "[fd00:ec2::254]";
}

/** Redirects are not followed through a proxy: the answer is theirs. */
export function createFetch(env: Env, files: ConfigFiles): typeof globalThis.fetch {
  return async (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input);
    if (isMetadataHost(url.hostname) || proxyFor(url, env) === undefined) return await globalThis.fetch(input, init);
    const dispatchers = createDispatchers({ env, files, certDirs: [], certificates: new Map(), connectTimeoutMs: defaultTimeouts.connectMs });
    const transport = createTransport(dispatchers, defaultTimeouts);
    try {
      const { status, body } = await transport.request({
        method: (init.method ?? "GET") as "GET" | "POST" | "PUT",
        url,
        headers: Object.fromEntries(new Headers(init.headers)),
        ...(typeof init.body === "string" ? { body: init.body } : {}),
        verifyTls: true,
        plainRedirect: false,
        followRedirects: false,
        signal: init.signal ?? undefined,
      });
      return new Response(await readBeginning(body, maxAnswerBytes), { status });
    } finally {
      await transport.close();
    }
  };
}
