/**
 * One image of 400 MB to a registry and back, by everyone who ships images. The registry is distribution's own (`docker-registry`),
 * a fresh one for every push, so that nothing is there before and nothing can be mounted.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { startRegistry, type Registry } from "../test/lab/registry.ts";
import type { Shipper } from "./shippers.ts";

export interface TransferCase {
  readonly name: "push" | "pull" | "build-and-push";
  readonly description: string;
}

export const transferCases: readonly TransferCase[] = [
  { name: "push", description: "an image of 400 MB in 8 layers that was pulled before, to an empty registry" },
  { name: "pull", description: "the same image from a registry, nothing of it here before" },
  { name: "build-and-push", description: "the same image built from its files, nothing cached, then pushed to an empty registry" },
];

interface Layer {
  readonly content: "text" | "program" | "archive";
  readonly megabytes: number;
}

const layers: readonly Layer[] = [
  { content: "text", megabytes: 120 },
  { content: "program", megabytes: 100 },
  { content: "program", megabytes: 60 },
  { content: "archive", megabytes: 60 },
  { content: "text", megabytes: 30 },
  { content: "program", megabytes: 20 },
  { content: "text", megabytes: 8 },
  { content: "archive", megabytes: 2 },
];

/** The same bytes in every run: words compress to about a third, a program's mix to about three quarters, an archive not at all. */
class Bytes {
  #state = 1;

  #next(): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#state;
  }

  fill(content: Layer["content"], file: Buffer): Buffer {
    for (let at = 0; at < file.length;) {
      const length = Math.min(content === "program" ? 8192 : file.length, file.length - at);
      const piece = file.subarray(at, at + length);
      const isText = content === "text" || (content === "program" && at % 16_384 === 0);
      if (isText) piece.write(this.#words(length), "latin1");
      else for (let word = 0; word + 4 <= length; word += 4) piece.writeUInt32LE((this.#next() ^ (this.#next() >>> 15)) >>> 0, word);
      at += length;
    }
    return file;
  }

  #words(length: number): string {
    let text = "";
    while (text.length < length) text += `${((this.#next() >>> 20) * 2_654_435_761).toString(36)} `;
    return text.slice(0, length);
  }
}

const fileSize = 2_000_000;

/** The image's context: a folder and a COPY for each layer. No base: whoever has it already would not fetch it. */
export function writeImageContext(folder: string): void {
  const bytes = new Bytes();
  for (const [at, { content, megabytes }] of layers.entries()) {
    const layer = path.join(folder, `layer${at}`);
    mkdirSync(layer, { recursive: true });
    for (let file = 0; file < (megabytes * 1_000_000) / fileSize; file += 1)
      writeFileSync(path.join(layer, `f${file}`), bytes.fill(content, Buffer.alloc(fileSize)));
  }
  writeFileSync(path.join(folder, "Dockerfile"), `FROM scratch\n${layers.map((_, at) => `COPY layer${at} /layer${at}/\n`).join("")}`);
}

export interface Transfers {
  readonly directory: string;
  readonly rounds: number;
  readonly shippers: readonly Shipper[];
}

export interface Timing {
  readonly contestant: string;
  readonly timesMs: readonly number[];
}

/** Alternates the contestants round by round, after a warm-up round of each. */
export async function measureTransfer(one: TransferCase, transfers: Transfers): Promise<readonly Timing[]> {
  const { directory, shippers, rounds } = transfers;
  const context = path.join(directory, "image");
  const taking = shippers.filter((shipper) => one.name !== "build-and-push" || shipper.build !== undefined);
  const source = await registryIn(directory, "source");
  const name = `${source.address}/bench/image:1`;
  try {
    const [builder] = shippers;
    if (builder?.build === undefined) throw new Error("nobody builds the image");
    time(builder, [builder.build(context, name), builder.push(name)]);
    const times = new Map<string, number[]>(taking.map((shipper) => [shipper.name, []]));
    for (let round = 0; round <= rounds; round += 1) {
      for (const shipper of round % 2 === 0 ? taking : taking.toReversed()) {
        const elapsedMs = await measureRound(one, shipper, { transfers, context, name });
        if (round > 0) times.get(shipper.name)?.push(elapsedMs);
      }
    }
    return [...times].map(([contestant, timesMs]) => ({ contestant, timesMs }));
  } finally {
    for (const shipper of shippers) shipper.forget([name]);
    await stop(source, directory, "source");
  }
}

interface Round {
  readonly transfers: Transfers;
  readonly context: string;
  /** where the image is to be had */
  readonly name: string;
}

async function measureRound(one: TransferCase, shipper: Shipper, { transfers, context, name }: Round): Promise<number> {
  const { directory } = transfers;
  shipper.forget([name]);
  if (one.name === "pull") return time(shipper, [shipper.pull(name)]);
  const target = await registryIn(directory, "target");
  const there = `${target.address}/bench/image:1`;
  try {
    if (one.name === "build-and-push") return time(shipper, [shipper.build?.(context, there) ?? [], shipper.push(there)]);
    time(shipper, [shipper.pull(name), ...shipper.tag(name, there)]);
    return time(shipper, [shipper.push(there)]);
  } finally {
    shipper.forget([name, there]);
    await stop(target, directory, "target");
  }
}

async function registryIn(directory: string, name: string): Promise<Registry> {
  const folder = path.join(directory, name);
  mkdirSync(folder);
  return await startRegistry(folder);
}

async function stop(registry: Registry, directory: string, name: string): Promise<void> {
  await registry[Symbol.asyncDispose]();
  rmSync(path.join(directory, name), { recursive: true, force: true });
}

function time(shipper: Shipper, commands: readonly (readonly string[])[]): number {
  const begun = performance.now();
  for (const [program = "", ...args] of commands) {
    const result = spawnSync(program, args, { env: shipper.env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], maxBuffer: 1 << 26 });
    if (result.status !== 0) throw new Error(`${shipper.name} failed: ${[program, ...args].join(" ")}\n${result.stdout}${result.stderr}`);
  }
  return performance.now() - begun;
}
