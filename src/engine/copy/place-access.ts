/** What surrounds one end of a copy, when the caller says how its registry or daemon is to be reached. */
import { resolve } from "node:path";
import { parseReference } from "../../oci/reference.ts";
import type { RegistryClient } from "../../registry/index.ts";
import type { PlaceAccess } from "../transfer-api.ts";
import type { Location } from "../transports/location.ts";
import type { Surroundings } from "../transports/open-source.ts";

export interface End extends AsyncDisposable {
  readonly surroundings: Surroundings;
}

/** Dispose what it answers: a client of its own ends with it. */
export function surroundingsOf(common: Surroundings, location: Location, access: PlaceAccess = {}): End {
  const { daemonHost, authFile, certDir, ...registry } = access;
  const env = daemonHost === undefined ? common.env : { ...common.env, DOCKER_HOST: daemonHost };
  const none: End = { surroundings: { ...common, env }, [Symbol.asyncDispose]: async () => {} };
  const domain = domainOf(location);
  if (domain === undefined || (authFile === undefined && certDir === undefined && Object.keys(registry).length === 0)) return none;
  let opened: Promise<RegistryClient> | undefined;
  const client = (): Promise<RegistryClient> =>
    (opened ??= import("../../registry/index.ts").then(async ({ createRegistryClient, readAccessConfig }) =>
      createRegistryClient(
        await readAccessConfig(
          domain,
          {
            ...registry,
            ...(authFile === undefined ? {} : { authFile: resolve(common.cwd, authFile) }),
            ...(certDir === undefined ? {} : { certDir: resolve(common.cwd, certDir) }),
          },
          common.env,
        ),
      ),
    ));
  const gate = common.gate?.through(client);
  return {
    surroundings: { ...common, env, client, ...(gate === undefined ? {} : { gate }) },
    async [Symbol.asyncDispose]() {
      await (await opened?.catch(() => undefined))?.close();
    },
  };
}

/** Undefined: no registry is asked. */
function domainOf(location: Location): string | undefined {
  if (location.kind === "registry") return location.reference.domain;
  return location.kind === "name" ? parseReference(location.text).domain : undefined;
}
