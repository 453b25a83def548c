/** Who we are at registries: signing in, and forgetting that. */
import { homeDirectory } from "../base/home-directory.ts";
import type { CredentialKeeper, RegistryClient } from "../registry/index.ts";
import type { AccountApi } from "./registry-api.ts";

/** For a program that signs in and does nothing else: no store is opened. */
export function openAccounts(): AccountApi & AsyncDisposable {
  let client: Promise<RegistryClient> | undefined;
  const open = (): Promise<RegistryClient> => {
    client ??= import("../registry/index.ts").then(async ({ createRegistryClient, readMachineConfig }) => createRegistryClient(await readMachineConfig()));
    return client;
  };
  return { ...createAccounts(open), [Symbol.asyncDispose]: async () => await (await client?.catch(() => undefined))?.close() };
}

export function createAccounts(client: () => Promise<RegistryClient>): AccountApi {
  const keeper = async (): Promise<CredentialKeeper> => {
    const { createCredentialKeeper, createHelperChanger } = await import("../registry/index.ts");
    return createCredentialKeeper({ env: process.env, home: homeDirectory(process.env), change: createHelperChanger(process.env) });
  };
  return {
    known: async (host) => {
      const { createCredentialSource, createHelperRunner, diskConfigFiles } = await import("../registry/index.ts");
      const source = createCredentialSource(process.env, homeDirectory(process.env), diskConfigFiles, createHelperRunner(process.env));
      return await source.lookup(host, "");
    },
    login: async (host, credential, { signal } = {}) => {
      const kept = await (await client()).login(host, credential, { signal });
      return await (await keeper()).save(host, kept);
    },
    loginByDevice: async (options) => {
      const registry = await client();
      const credential = await registry.loginByDevice(options);
      const kept = await registry.login("docker.io", credential, { signal: options.signal });
      return await (await keeper()).save("docker.io", kept);
    },
    logout: async (host) => await (await keeper()).erase(host),
  };
}
