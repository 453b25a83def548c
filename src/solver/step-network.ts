/** A step's network, the files of /etc that tell of it, and its shared memory. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ExecOp } from "../graph/op.ts";
import { hostAddress } from "../runtime/host-address.ts";
import { dnsForwardAddress } from "../runtime/network-addresses.ts";
import type { NetworkPool } from "../runtime/network-pool.ts";
import { makeHosts, makeResolvConf } from "../runtime/network-files.ts";
import type { SpecMount, SpecNetwork } from "../runtime/spec-options.ts";

export interface StepNetworkLease extends Disposable {
  readonly spec: SpecNetwork;
}

export async function acquireNetwork(op: Pick<ExecOp, "network">, networks: () => NetworkPool, signal: AbortSignal | undefined): Promise<StepNetworkLease> {
  if (op.network !== "default") return { spec: { kind: op.network }, [Symbol.dispose]: () => {} };
  const acquired = await networks().acquire(signal);
  return { spec: acquired.network, [Symbol.dispose]: () => acquired.release() };
}

export function networkFiles(op: Pick<ExecOp, "hostname" | "extraHosts">, directory: string, network: SpecNetwork): readonly SpecMount[] {
  const resolv = join(directory, "resolv.conf");
  const hosts = join(directory, "hosts");
  const gateway = op.extraHosts.length === 0 ? undefined : hostAddress();
  writeFileSync(resolv, makeResolvConf({ hostText: readHost("/etc/resolv.conf"), hostNetwork: network.kind === "host", dnsForward: dnsForwardAddress }), {
    mode: 0o644,
  });
  writeFileSync(
    hosts,
    makeHosts({ hostname: op.hostname, extraHosts: op.extraHosts, kind: "build", ...(gateway === undefined ? {} : { hostGateway: gateway }) }),
    { mode: 0o644 },
  );
  const bind = (source: string, destination: string): SpecMount => ({
    kind: "bind",
    source,
    destination,
    readOnly: true,
    sourceKind: "file",
    options: ["nosuid", "nodev", "noexec"],
  });
  return [bind(resolv, "/etc/resolv.conf"), bind(hosts, "/etc/hosts")];
}

/** --shm-size is a mount of the step, as in BuildKit: in an image without /dev its mount point leaves no trace. */
export function sharedMemory({ shmSizeBytes }: Pick<ExecOp, "shmSizeBytes">): readonly SpecMount[] {
  return shmSizeBytes === undefined ? [] : [{ kind: "tmpfs", destination: "/dev/shm", sizeBytes: shmSizeBytes }];
}

function readHost(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
