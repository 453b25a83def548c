/** Bridges and pairs of interfaces: `ip`, run in the namespace of the calling thread, and by nsenter in containers'. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, openSync, readFileSync } from "node:fs";
import { SlipwayError } from "../base/errors.ts";
import { enterNetwork, openBoundSocket, unshareNetwork } from "../store/syscalls.ts";
import type { Member } from "./network-members.ts";
import { requireProgram } from "./programs.ts";

type Place = Member["places"][number];

export interface Wiring {
  /** Puts the interface of that name, with its address, into the process's namespace. */
  plug(pid: number, place: Place): void;
  unplug(pid: number, interfaceName: string): void;
  /** Nobody is in the network any more. */
  dropNetwork(networkId: string): void;
  /** Sockets at 127.0.0.11:53 in the process's namespace. */
  openResolver(pid: number): { readonly udp: number; readonly tcp: number };
}

/** From now on this thread is in a namespace that it shares with nobody: bridges have no addresses there, so nothing passes from one to another. */
export function createWiring(): Wiring {
  const ip = requireProgram("ip", "a network of several containers");
  const nsenter = requireProgram("nsenter", "a network of several containers");
  unshareNetwork();
  const home = openSync("/proc/thread-self/ns/net", "r");
  const bridges = new Set<string>();
  const run = (...args: string[]): void => runTool(ip, args);
  const runIn = (pid: number, ...args: string[]): void => runTool(nsenter, [`--net=/proc/${pid}/ns/net`, ip, ...args]);
  return {
    plug: (pid, place) => {
      const bridge = bridgeOf(place.networkId);
      if (!bridges.has(bridge)) {
        run("link", "add", bridge, "type", "bridge");
        run("link", "set", bridge, "up");
        bridges.add(bridge);
      }
      // what an attempt that failed has left
      if (interfacesOf(pid).includes(place.interface)) runIn(pid, "link", "delete", place.interface);
      const outer = `v${randomBytes(6).toString("hex")}`;
      run(
        "link",
        "add",
        outer,
        "mtu",
        "1500",
        "type",
        "veth",
        "peer",
        "name",
        place.interface,
        "mtu",
        "1500",
        "address",
        place.mac ?? macOf(place.address),
        "netns",
        String(pid),
      );
      run("link", "set", outer, "master", bridge, "up");
      runIn(pid, "address", "add", `${place.address}/${place.subnet.split("/")[1]}`, "broadcast", "+", "dev", place.interface);
      runIn(pid, "link", "set", place.interface, "up");
      runIn(pid, "link", "set", "lo", "up");
    },
    unplug: (pid, interfaceName) => runIn(pid, "link", "delete", interfaceName),
    dropNetwork: (networkId) => {
      const bridge = bridgeOf(networkId);
      if (bridges.delete(bridge)) run("link", "delete", bridge);
    },
    openResolver: (pid) => {
      const inside = openSync(`/proc/${pid}/ns/net`, "r");
      try {
        enterNetwork(inside);
        const udp = openBoundSocket("udp", [127, 0, 0, 11], 53);
        return { udp, tcp: openBoundSocket("tcp", [127, 0, 0, 11], 53) };
      } finally {
        enterNetwork(home);
        closeSync(inside);
      }
    },
  };
}

/** The names of the interfaces in the process's namespace. */
export function interfacesOf(pid: number): readonly string[] {
  return readFileSync(`/proc/${pid}/net/dev`, "utf8")
    .split("\n")
    .flatMap((line) => /^\s*([^:\s]+):/.exec(line)?.[1] ?? []);
}

function bridgeOf(networkId: string): string {
  return `br-${networkId.slice(0, 12)}`;
}

/** As older Dockers made it: from the address, so that one that is given again has the same. */
export function macOf(address: string): string {
  return ["02", "42", ...address.split(".").map((byte) => Number(byte).toString(16).padStart(2, "0"))].join(":");
}

function runTool(file: string, args: readonly string[]): void {
  try {
    execFileSync(file, args, { stdio: ["ignore", "ignore", "pipe"], timeout: 10_000 });
  } catch (error) {
    const words = typeof error === "object" && error !== null && "stderr" in error ? String(error.stderr).trim() : "";
    throw new SlipwayError("unavailable", "NETWORK_FAILED", words === "" ? String(error) : words, {}, error);
  }
}
