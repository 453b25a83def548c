/**
 * Other people's tools that the interop tests need, found on this machine: on PATH, or where SLIPWAY_LAB_<NAME> says (a
 * command with its words; for docker also the path of a daemon's socket). A missing one makes its tests skip, in words.
 */
import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { existsSync, statSync } from "node:fs";

export type PeerName = "docker" | "podman" | "skopeo" | "umoci" | "buildah" | "docker-registry";

export interface Peer {
  readonly words: readonly string[];
  /** runs it with these further words; output is text */
  call(args: readonly string[], input?: Uint8Array): SpawnSyncReturns<string>;
}

function wordsOf(name: PeerName): readonly string[] | undefined {
  const given = process.env[`SLIPWAY_LAB_${name.toUpperCase().replaceAll("-", "_")}`];
  if (given === undefined || given === "") return [name];
  if (name === "docker" && existsSync(given) && statSync(given).isSocket()) return ["docker", "-H", `unix://${given}`];
  return given.split(" ").filter((word) => word !== "");
}

function peerFrom(words: readonly string[]): Peer {
  const [program = "", ...first] = words;
  return {
    words,
    call: (args, input) => spawnSync(program, [...first, ...args], { input, encoding: "utf8", timeout: 120_000, maxBuffer: 1 << 28 }),
  };
}

/** The peer, or a line that says why it cannot be used. A docker without a daemon that answers counts as absent. */
export function findPeer(name: PeerName): Peer | string {
  const words = wordsOf(name);
  if (words === undefined) return `${name} is not installed`;
  const peer = peerFrom(words);
  const probe = peer.call(name === "docker" ? ["version", "--format", "{{.Server.Version}}"] : ["--version"]);
  if (probe.error !== undefined) return `${name} is not installed (test/lab/install puts it there)`;
  if (probe.status !== 0) return `${name} does not answer: ${probe.stderr.trim().split("\n")[0] ?? ""}`;
  return peer;
}
