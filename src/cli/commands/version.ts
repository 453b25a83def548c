/** `version`: the program and what it runs on. There is no daemon: client and engine are one, and say so. */
import { release } from "node:os";
import type { Handler } from "../command.ts";
import { GoStruct } from "../go-value.ts";
import { packageVersion } from "../standard-streams.ts";

export const apiVersion = "1.51";

/** What Docker's templates know besides: a program without these has them empty. */
const absent = { GitCommit: "", GoVersion: "", BuildTime: "" };

/** JSON has Docker's keys, templates its fields, which are not always spelt alike. */
export function versionFields(): GoStruct {
  const version = packageVersion();
  const arch = { x64: "amd64", ia32: "386" }[process.arch as string] ?? process.arch;
  const common = { Version: version, ApiVersion: apiVersion, NodeVersion: process.version, Os: process.platform, Arch: arch };
  const kernel = release();
  const details = { ApiVersion: apiVersion, Arch: arch, KernelVersion: kernel, MinAPIVersion: apiVersion, NodeVersion: process.version, Os: process.platform };
  const client = { ...common, DefaultAPIVersion: apiVersion, Context: "default" };
  const engine = { Name: "Engine", Version: version, Details: details };
  const server = { Platform: { Name: "Slipway" }, Components: [engine], ...common, MinAPIVersion: apiVersion, KernelVersion: kernel };
  const fields = {
    Client: new GoStruct("system.clientVersion", { ...absent, ...client, APIVersion: apiVersion, Platform: null }, { json: client }),
    Server: new GoStruct("*types.Version", { ...absent, ...server, APIVersion: apiVersion, Experimental: false }, { json: server }),
  };
  return new GoStruct("system.versionInfo", fields, { json: { Client: client, Server: server } });
}

export const runVersion: Handler = async (cli, { flags }) => {
  const version = versionFields();
  const format = flags.string("format");
  if (format !== "") {
    const { renderOne } = await import("../render.ts");
    cli.stdout.write(`${renderOne(format, version, "version")}\n`);
    return 0;
  }
  const { Version, NodeVersion, Os, Arch } = (version.json as { readonly Client: Readonly<Record<string, string>> }).Client;
  cli.stdout.write(
    `Client:\n Version:           ${Version}\n API version:       ${apiVersion}\n Node version:      ${NodeVersion}\n OS/Arch:           ${Os}/${Arch}\n Context:           default\n\n` +
      `Server: (in the same process)\n Engine:\n  Version:          ${Version}\n  API version:      ${apiVersion}\n  Node version:     ${NodeVersion}\n  OS/Arch:          ${Os}/${Arch}\n`,
  );
  return 0;
};
