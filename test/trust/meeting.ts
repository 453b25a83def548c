/** Others' programs and ours at one registry, with a key of ours in files that both see. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Slipway, type PrivateKeySource, type PublicKeySource } from "../../src/engine/index.ts";
import { generateKey } from "../../src/engine/signing/keys.ts";
import type { RegistryOptions } from "../../src/testing/index.ts";
import { findPeer, sharedDirectory, type PeerName } from "../lab/peers.ts";
import { pushImage, repositoryOf, startRepository, type Repository } from "./repository.ts";

const secret = "secret";
/** cosign reads it, too */
process.env["COSIGN_PASSWORD"] = secret;
export const password = async (): Promise<Uint8Array> => Buffer.from(secret);

export interface FreshImage {
  /** by its tag */
  readonly image: string;
  readonly digest: string;
  readonly place: Repository;
}

export interface Meeting extends AsyncDisposable {
  readonly slipway: Slipway;
  readonly registry: Parameters<typeof repositoryOf>[0];
  /** a directory under our name for it and that of the programs */
  readonly files: { readonly here: string; readonly there: string };
  /** a file of it, by the programs' name */
  readonly there: (name: string) => string;
  readonly read: (name: string) => string;
  /** own.key, own.pub */
  readonly ownKey: { readonly key: PrivateKeySource };
  readonly ownKeys: { readonly keys: readonly PublicKeySource[] };
  /** in a repository of its own */
  readonly freshImage: () => Promise<FreshImage>;
}

export async function startMeeting(options: RegistryOptions = {}): Promise<Meeting> {
  const root = mkdtempSync(path.join(tmpdir(), "slipway-interop-"));
  const files = sharedDirectory("slipway-signing-");
  const slipway = await Slipway.open({ root });
  const repository = await startRepository("acme/app", options);
  await generateKey({ output: path.join(files.here, "own"), password });
  const read = (name: string): string => readFileSync(path.join(files.here, name), "utf8");
  let count = 0;
  return {
    slipway,
    registry: repository.registry,
    files,
    there: (name) => path.join(files.there, name),
    read,
    ownKey: { key: { pem: read("own.key"), name: "own.key", password } },
    ownKeys: { keys: [{ pem: read("own.pub"), name: "own.pub" }] },
    freshImage: async () => {
      const place = repositoryOf(repository.registry, `acme/app${++count}`);
      const digest = await pushImage(place, "1", String(count));
      return { image: `${place.name}:1`, digest, place };
    },
    [Symbol.asyncDispose]: async () => {
      await slipway.close();
      await repository[Symbol.asyncDispose]();
      files.remove();
      rmSync(root, { recursive: true });
    },
  };
}

export function need(peer: PeerName): { readonly skip: string | false } {
  const found = findPeer(peer);
  return { skip: typeof found === "string" ? found : false };
}

/** Its exit code, with all that it said. */
export async function call(
  peer: PeerName,
  args: readonly string[],
  env?: Readonly<Record<string, string>>,
): Promise<{ readonly status: number; readonly stdout: string; readonly stderr: string; readonly said: string }> {
  const found = findPeer(peer);
  assert.ok(typeof found !== "string");
  const { status, stdout, stderr } = await found.run(args, env);
  return { status, said: `${peer} ${args.join(" ")}:\n${stdout}${stderr}`, stdout, stderr };
}

/** What it printed. */
export async function succeeds(peer: PeerName, args: readonly string[], env?: Readonly<Record<string, string>>): Promise<string> {
  const { status, said, stdout } = await call(peer, args, env);
  assert.equal(status, 0, said);
  return stdout;
}

/** And says why in words that fit, on standard error. */
export async function fails(peer: PeerName, args: readonly string[], why = /./u, env?: Readonly<Record<string, string>>): Promise<void> {
  const { status, stderr, said } = await call(peer, args, env);
  assert.notEqual(status, 0, said);
  assert.match(stderr, why, said);
}
