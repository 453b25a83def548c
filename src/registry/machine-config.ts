/** What the machine's files and environment say about registries, gathered for createRegistryClient. */
import { homeDirectory } from "../base/home-directory.ts";
import type { RegistryClientOptions } from "./client.ts";
import { diskConfigFiles } from "./config-files.ts";
import type { ConfigFiles, Env } from "./config-files.ts";
import { createHelperRunner } from "./credential-helper.ts";
import { createCredentialSource, readMetaHeaders } from "./credentials.ts";
import { readHostsToml } from "./hosts-toml.ts";
import { withMirrorSettings } from "./mirror-settings.ts";
import { createFetch } from "./sign-in/proxied-fetch.ts";
import { createCommandRunner } from "./sign-in/run-command.ts";
import { withSignIn } from "./sign-in/sign-in.ts";
import { readTransferSettings } from "./transfer-settings.ts";
import { readRegistriesConf } from "./registries-conf.ts";

/**
 * Mirrors, credentials, certs.d and proxies of this machine and user.
 * Fails with INVALID_REGISTRIES_CONF, INVALID_HOSTS_TOML, INVALID_DAEMON_JSON, INVALID_PARALLEL or INVALID_MIRRORS (invalid_argument).
 */
export async function readMachineConfig(
  env: Env = process.env,
  home: string = homeDirectory(env),
  files: ConfigFiles = diskConfigFiles,
): Promise<RegistryClientOptions> {
  const settings = readTransferSettings(env, home, files);
  const userConfig = env["XDG_CONFIG_HOME"] || `${home}/.config`;
  return {
    ...settings,
    files,
    headers: readMetaHeaders(env, home, files),
    registries: withMirrorSettings([...(await readRegistriesConf(env, home, files)), ...(await readHostsToml(files))], env, home, files),
    credentials: withSignIn(createCredentialSource(env, home, files, createHelperRunner(env)), {
      env,
      home,
      files,
      fetch: createFetch(settings.env, files),
      run: createCommandRunner(env),
      now: Date.now,
    }),
    certDirs: [`${userConfig}/containers/certs.d`, "/etc/containers/certs.d", "/etc/docker/certs.d"],
  };
}
