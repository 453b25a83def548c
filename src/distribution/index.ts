/** The server side of the distribution specification: handlers over a storage, access, and an HTTP server for both. */
export { openAccess } from "./access.ts";
export type { AccessControl, Action, Need } from "./access.ts";
export type { Answer, DistributionRequest, Headers, Respond } from "./answer.ts";
export { createBasicAccess } from "./basic-access.ts";
export { createDiskStorage } from "./disk-storage.ts";
export { startHttpServer } from "./http-server.ts";
export type { Exchange, HttpServer, HttpServerOptions, Serve, TlsFiles } from "./http-server.ts";
export { createHtpasswdUsers } from "./htpasswd.ts";
export { createDistribution } from "./registry.ts";
export type { DistributionOptions } from "./registry.ts";
export type { ByteRange, DistributionStorage, Referral, StoredManifest } from "./storage.ts";
export { sweepDirectory } from "./sweep-directory.ts";
export type { TokenOptions } from "./token-access.ts";
export type { Grant, Users } from "./users.ts";
