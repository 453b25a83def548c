/** `--insecure`: a client for which the registries of these names may speak plain http or have a certificate that nobody knows. */
import { createRegistryClient, readMachineConfig, type RegistryClient } from "../../registry/index.ts";

export async function insecureClient(domains: readonly string[]): Promise<RegistryClient> {
  const config = await readMachineConfig();
  const registries = domains.map((domain) => {
    const known = (config.registries ?? []).find(({ prefix }) => prefix === domain);
    return { prefix: domain, location: domain, blocked: false, mirrors: [], source: "--insecure", ...known, insecure: true };
  });
  return createRegistryClient({ ...config, registries: [...registries, ...(config.registries ?? []).filter(({ prefix }) => !domains.includes(prefix))] });
}
