/**
 * A registry for tests: it takes pushes, asks for logins, and fails as real ones do, on the requests that a test names.
 *
 * @example
 * import { faults, startRegistry } from "slipway/testing";
 *
 * await using registry = await startRegistry({ login: { type: "token", users: { ann: "secret" } } });
 * registry.addFault({ path: "/blobs/", times: 1, fault: faults.unavailable });
 * console.log(registry.host); // "127.0.0.1:41234"
 */
export type { AccessControl, Action } from "../distribution/access.ts";
export type { TlsFiles } from "../distribution/http-server.ts";
export type { DistributionStorage } from "../distribution/storage.ts";
export type { TokenOptions } from "../distribution/token-access.ts";
export { grantToUsers } from "../distribution/users.ts";
export type { Grant } from "../distribution/users.ts";
export { faults } from "./fault.ts";
export type { Fault, FaultRule } from "./fault.ts";
export { startRegistry } from "./start-registry.ts";
export type { LoggedRequest, Login, RegistryOptions, TestRegistry } from "./start-registry.ts";
