/** `port`: where a container's ports are published. */
import type { Handler } from "../command.ts";
import { cliError } from "../failure.ts";

interface Binding {
  readonly HostIp: string;
  readonly HostPort: string;
}

interface Inspected {
  readonly NetworkSettings: { readonly Ports: Readonly<Record<string, readonly Binding[] | null>> };
}

function formatBinding({ HostIp, HostPort }: Binding): string {
  return `${HostIp.includes(":") ? `[${HostIp}]` : HostIp}:${HostPort}`;
}

/** By port number, then protocol. */
function comparePorts(left: string, right: string): number {
  return Number.parseInt(left, 10) - Number.parseInt(right, 10) || (left < right ? -1 : 1);
}

export const runPort: Handler = async (cli, { args }) => {
  const [container = "", port] = args;
  const { containers } = await cli.open();
  const { Ports } = ((await containers.inspect(container)) as unknown as Inspected).NetworkSettings;
  if (port !== undefined) {
    const bindings = Ports[port.includes("/") ? port.toLowerCase() : `${port}/tcp`] ?? [];
    if (bindings.length === 0) throw cliError(`Error: No public port '${port}' published for ${container}`);
    cli.stdout.write(bindings.map((binding) => `${formatBinding(binding)}\n`).join(""));
    return 0;
  }
  for (const name of Object.keys(Ports).sort(comparePorts)) {
    cli.stdout.write((Ports[name] ?? []).map((binding) => `${name} -> ${formatBinding(binding)}\n`).join(""));
  }
  return 0;
};
