/**
 * Other people's tools that the interop tests need, found on this machine: on PATH, or where SLIPWAY_LAB_<NAME> says (a
 * command with its words; for docker also the path of a daemon's socket). A missing one makes its tests skip, in words.
 */
import { execFile, spawnSync, type SpawnSyncReturns } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

export type PeerName = "docker" | "podman" | "skopeo" | "umoci" | "buildah" | "docker-registry" | "cosign" | "notation" | "oras";

export interface Peer {
  readonly words: readonly string[];
  /** runs it with these further words; output is text */
  call(args: readonly string[], input?: Uint8Array): SpawnSyncReturns<string>;
  /** the same while this process goes on, as a registry in it has to */
  run(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<PeerOutcome>;
}

export interface PeerOutcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
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
    run: (args, env = {}) =>
      new Promise((resolve) => {
        execFile(program, [...first, ...args], { env: { ...process.env, ...env }, timeout: 60_000, maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
          resolve({ status: error === null ? 0 : Number(error.code ?? 255), stdout, stderr });
        });
      }),
    call: (args, input) => spawnSync(program, [...first, ...args], { input, encoding: "utf8", timeout: 120_000, maxBuffer: 1 << 28 }),
  };
}

const probes: Partial<Record<PeerName, readonly string[]>> = {
  docker: ["version", "--format", "{{.Server.Version}}"],
  cosign: ["version"],
  notation: ["version"],
  oras: ["version"],
};

/** A directory under two names: ours, and that of peers that run in another root, SLIPWAY_LAB_PREFIX. */
export function sharedDirectory(name: string): { readonly here: string; readonly there: string; remove(): void } {
  const prefix = process.env["SLIPWAY_LAB_PREFIX"] ?? "";
  const here = mkdtempSync(path.join(prefix, tmpdir(), name));
  return { here, there: here.slice(prefix.length), remove: () => rmSync(here, { recursive: true, force: true }) };
}

/** The peer, or a line that says why it cannot be used. A docker without a daemon that answers counts as absent. */
export function findPeer(name: PeerName): Peer | string {
  const words = wordsOf(name);
  if (words === undefined) return `${name} is not installed`;
  const peer = peerFrom(words);
  const probe = peer.call(probes[name] ?? ["--version"]);
  if (probe.error !== undefined) return `${name} is not installed (test/lab/install puts it there)`;
  if (probe.status !== 0) return `${name} does not answer: ${probe.stderr.trim().split("\n")[0] ?? ""}`;
  return peer;
}
