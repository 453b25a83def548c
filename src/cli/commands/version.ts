/** `version`: the program and what it runs on. There is no daemon: client and engine are one, and say so. */
import type { Handler } from "../command.ts";
import { packageVersion } from "../standard-streams.ts";

export const apiVersion = "1.51";

export interface VersionFields {
  readonly Client: Readonly<Record<string, string>>;
  readonly Server: Readonly<Record<string, unknown>>;
}

export function versionFields(): VersionFields {
  const version = packageVersion();
  const arch = { x64: "amd64", ia32: "386" }[process.arch as string] ?? process.arch;
  const common = { Version: version, ApiVersion: apiVersion, NodeVersion: process.version, Os: process.platform, Arch: arch };
  return {
    Client: { ...common, DefaultAPIVersion: apiVersion, Context: "default" },
    Server: { Platform: { Name: "Slipway" }, ...common, MinAPIVersion: apiVersion, Components: [{ Name: "Engine", Version: version, Details: {} }] },
  };
}

export const runVersion: Handler = async (cli, { flags }) => {
  const fields = versionFields();
  const format = flags.string("format");
  if (format !== "") {
    const { renderOne } = await import("../render.ts");
    cli.stdout.write(`${renderOne(format, fields, { name: "version", typeName: "system.versionInfo" })}\n`);
    return 0;
  }
  const { Version, NodeVersion, Os, Arch } = fields.Client;
  cli.stdout.write(
    `Client:\n Version:           ${Version}\n API version:       ${apiVersion}\n Node version:      ${NodeVersion}\n OS/Arch:           ${Os}/${Arch}\n\n` +
      `Server: (in the same process)\n Engine:\n  Version:          ${Version}\n  API version:      ${apiVersion}\n  Node version:     ${NodeVersion}\n  OS/Arch:          ${Os}/${Arch}\n`,
  );
  return 0;
};
