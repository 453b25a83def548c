/** `registry serve`: runs until SIGINT or SIGTERM; the address goes to standard output as soon as it answers. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { SlipwayError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import { defaultStoreRoot, serveRegistry, type Exchange, type ServeRegistryOptions } from "../../engine/served/serve-registry.ts";
import { parseReference } from "../../oci/reference.ts";
import type { Cli } from "../cli.ts";
import type { Handler } from "../command.ts";
import type { ParsedFlags } from "../flags.ts";

const graceMs = 10_000;

/** Fails with USAGE (invalid_argument). */
export function parseListen(text: string): { readonly host: string; readonly port: number } {
  const [, host = "", port = ""] = /^(\[[0-9a-fA-F:.%\w]+\]|[^:[\]]*):(\d{1,5})$/.exec(text) ?? [];
  if (port === "" || Number(port) > 65535) throw new SlipwayError("invalid_argument", "USAGE", `invalid address ${JSON.stringify(text)}: want HOST:PORT`);
  return { host: host === "" ? "0.0.0.0" : host.replace(/^\[|\]$/g, ""), port: Number(port) };
}

function readPem(cli: Cli, file: string): Buffer {
  try {
    return readFileSync(path.resolve(cli.cwd, file));
  } catch (error) {
    throw new SlipwayError("invalid_argument", "INPUT_FILE", `cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`, { file }, error);
  }
}

function tlsOf(cli: Cli, flags: ParsedFlags): Pick<ServeRegistryOptions, "tls"> {
  const [cert, key, clientCa] = ["tls-cert", "tls-key", "client-ca"].map((name) => flags.optional(name));
  if (cert === undefined && key === undefined && clientCa === undefined) return {};
  if (cert === undefined || key === undefined) throw new SlipwayError("invalid_argument", "USAGE", "--tls-cert and --tls-key belong together");
  return { tls: { cert: readPem(cli, cert), key: readPem(cli, key), ...(clientCa === undefined ? {} : { clientCa: readPem(cli, clientCa) }) } };
}

/** The common log format, with milliseconds at the end. */
export function formatExchange({ request, status, sentBytes, durationMs, remoteAddress }: Exchange, nowMs: number): string {
  const query = request.query.size === 0 ? "" : `?${request.query.toString()}`;
  const line = `${remoteAddress} [${new Date(nowMs).toISOString()}] "${request.method} ${request.path}${query}" ${status === 0 ? "-" : status} ${sentBytes} ${Math.round(durationMs)}ms`;
  return `${printable(line).replace(/\n/g, "")}\n`;
}

/** Fails with USAGE (invalid_argument). */
export function parseUpstream(text: string): string {
  const host = text.replace(/^https?:\/\//, "").replace(/\/$/, "");
  try {
    // a bare word would be a user of Docker Hub
    if (/^(?:localhost$|.*[.:])/.test(host) && !host.includes("/")) return parseReference(`${host}/name`).domain;
  } catch {
    // told below
  }
  throw new SlipwayError("invalid_argument", "USAGE", `invalid registry ${JSON.stringify(text)}: want HOST or HOST:PORT`);
}

/** Fails with USAGE (invalid_argument). */
function mirrorOf(flags: ParsedFlags): Pick<ServeRegistryOptions, "mirrorOf"> {
  const text = flags.optional("mirror-of");
  if (text === undefined) return {};
  if (flags.bool("images")) throw new SlipwayError("invalid_argument", "USAGE", "--mirror-of and --images exclude each other");
  return { mirrorOf: parseUpstream(text) };
}

export const runRegistryServe: Handler = async (cli, { flags }) => {
  const root = cli.root ?? defaultStoreRoot(cli.env);
  // who may not read root's files enters the user namespace of the images
  if (flags.bool("images")) await cli.open();
  const htpasswd = flags.optional("htpasswd");
  const server = await serveRegistry({
    directory: path.resolve(cli.cwd, flags.optional("data") ?? path.join(root, "registry")),
    ...parseListen(flags.string("listen")),
    ...(htpasswd === undefined ? {} : { htpasswd: path.resolve(cli.cwd, htpasswd) }),
    ...tlsOf(cli, flags),
    ...mirrorOf(flags),
    ...(flags.bool("images") ? { imagesOf: root } : {}),
    readOnly: flags.bool("read-only"),
    delete: flags.bool("delete"),
    ...(flags.bool("log") ? { onExchange: (exchange: Exchange) => cli.stderr.write(formatExchange(exchange, cli.now())) } : {}),
  });
  cli.stdout.write(`${server.url}\n`);
  if (!cli.signal.aborted) await new Promise<void>((resolve) => cli.signal.addEventListener("abort", () => resolve(), { once: true }));
  await server.close(graceMs);
  return 0;
};
