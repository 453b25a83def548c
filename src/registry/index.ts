/**
 * The distribution client: whatever Docker pulls, streamed and verified, without a daemon.
 *
 * @example
 * import { createRegistryClient, readMachineConfig, resolveImage } from "slipway/registry";
 * import { hostPlatform, parseReference } from "slipway/oci";
 *
 * await using client = createRegistryClient(await readMachineConfig());
 * const busybox = parseReference("busybox:1.36");
 * const image = await resolveImage(client, busybox, hostPlatform());
 * for (const layer of image.manifest.layers) {
 *   for await (const chunk of client.openBlob(busybox, layer)) process.stdout.write(chunk);
 * }
 */
export { readAccessConfig, type RegistryAccess } from "./access.ts";
export { createRegistryClient } from "./client.ts";
export type {
  CallOptions,
  Document,
  FetchedManifest,
  RegistryWait,
  OpenBlobOptions,
  PushBlobOptions,
  PushedBlob,
  RegistryClient,
  RegistryClientOptions,
  UploadMemory,
} from "./client.ts";
export type { PushedManifest } from "./push-manifest.ts";
export { diskConfigFiles } from "./config-files.ts";
export type { ConfigFiles, Env } from "./config-files.ts";
export { createHelperChanger, createHelperRunner } from "./credential-helper.ts";
export type { ChangeHelper, HelperAnswer, RunHelper } from "./credential-helper.ts";
export { createCredentialKeeper, serverKey } from "./credential-store.ts";
export type { CredentialKeeper, KeeperOptions, KeptIn } from "./credential-store.ts";
export { anonymous, createCredentialSource } from "./credentials.ts";
export type { Credential, CredentialSource } from "./credentials.ts";
export type { Endpoint } from "./endpoint.ts";
export type { DeviceCode, DeviceLoginOptions } from "./hub-login.ts";
export { platformsOf, resolveImage, selectManifest } from "./image-source.ts";
export type { SourceImage } from "./image-source.ts";
export { readMachineConfig } from "./machine-config.ts";
export { attachReferrer, referrerDescriptor, referrersTag, type ReferrersOptions } from "./referrers.ts";
export { endpointsFor, parseRegistriesConf, readRegistriesConf } from "./registries-conf.ts";
export type { MirrorConf, RegistriesConf, RegistryConf } from "./registries-conf.ts";
export type { Retry } from "./retry.ts";
export type { FoundRepository } from "./search.ts";
export type { Timeouts } from "./transport.ts";
