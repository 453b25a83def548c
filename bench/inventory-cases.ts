/**
 * Packages of an image of Debian's: their list and their comparison with advisories beside `dpkg-query -W`, which reads the same database and nothing
 * else. "cold" knows nothing of the image's layers, "warm" has seen them. The image is made of this machine's own packages.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { wordsOf, type Contest } from "./contestants.ts";
import type { Measurement } from "./figures.ts";

export const inventoryCases = [
  { name: "sbom-warm", description: "the packages of an image of 200 packages, its layers seen before" },
  { name: "sbom-cold", description: "the same, nothing known of the image" },
  { name: "scan-warm", description: "these packages compared with 20,000 advisories, the layers seen before" },
  { name: "scan-cold", description: "the same, nothing known of the image" },
] as const;

type InventoryCase = (typeof inventoryCases)[number];

const [packages, advisories] = [200, 20_000];
const image = "slipway-bench-debian:latest";

/** undefined where this machine has no such packages. */
export function prepareInventory(contest: Contest): Inventory | undefined {
  const status = "/var/lib/dpkg/status";
  if (!existsSync(status) || spawnSync("dpkg-query", ["--version"]).error !== undefined) return undefined;
  const stanzas = readFileSync(status, "utf8")
    .split("\n\n")
    .filter((text) => /^Status: install ok installed$/m.test(text))
    .sort((a, b) => sizeOf(a) - sizeOf(b))
    .slice(0, packages);
  return stanzas.length < packages ? undefined : new Inventory(contest, stanzas);
}

function sizeOf(stanza: string): number {
  return Number(fieldOf(stanza, "Installed-Size") || "0");
}

function fieldOf(stanza: string, name: string): string {
  return new RegExp(`^${name}: (.*)$`, "m").exec(stanza)?.[1] ?? "";
}

export class Inventory {
  readonly #words: readonly string[];
  readonly #root: string;
  readonly #folder: string;

  constructor({ slipwayWords, directory }: Contest, stanzas: readonly string[]) {
    this.#words = wordsOf(slipwayWords);
    this.#root = path.join(directory, "inventory-store");
    this.#folder = path.join(directory, "inventory");
    this.#writeContext(stanzas);
    const feed = path.join(directory, "debian.json");
    writeFileSync(feed, JSON.stringify(feedOf(stanzas)));
    this.#run(["build", "-q", "-t", image, this.#folder]);
    this.#run(["db", "import", "-q", feed]);
  }

  /** All files that the packages have here, in one layer. */
  #writeContext(stanzas: readonly string[]): void {
    const database = path.join(this.#folder, "root/var/lib/dpkg");
    mkdirSync(path.join(database, "info"), { recursive: true });
    writeFileSync(path.join(database, "status"), `${stanzas.join("\n\n")}\n\n`);
    mkdirSync(path.join(this.#folder, "root/etc"), { recursive: true });
    writeFileSync(path.join(this.#folder, "root/etc/os-release"), 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n');
    const lists = stanzas.flatMap((stanza) => {
      const [name, architecture] = [fieldOf(stanza, "Package"), fieldOf(stanza, "Architecture")];
      const found = [`${name}.list`, `${name}:${architecture}.list`].find((file) => existsSync(path.join("/var/lib/dpkg/info", file)));
      return found === undefined ? [] : [found];
    });
    const files = lists.flatMap((list) => {
      const text = readFileSync(path.join("/var/lib/dpkg/info", list), "utf8");
      writeFileSync(path.join(database, "info", list), text);
      return text.split("\n").filter((file) => file.length > 2 && existsSync(file));
    });
    const input = `${[...new Set(files)].map((file) => file.slice(1)).join("\n")}\n`;
    const tar = execFileSync("tar", ["-C", "/", "--no-recursion", "--ignore-failed-read", "-cf", "-", "-T", "-"], {
      input,
      maxBuffer: 2 ** 30,
      stdio: ["pipe", "pipe", "ignore"],
    });
    execFileSync("tar", ["-C", path.join(this.#folder, "root"), "-xf", "-"], { input: tar });
    writeFileSync(path.join(this.#folder, "Dockerfile"), "FROM scratch\nCOPY root /\n");
  }

  measure({ name, description }: InventoryCase, rounds: number): readonly Measurement[] {
    const [command, temperature] = name.split("-") as ["sbom" | "scan", "warm" | "cold"];
    const args = command === "sbom" ? ["sbom", "-q", "--format", "spdx-json", image] : ["scan", "--format", "json", image];
    const times: Record<string, number[]> = { slipway: [] };
    for (let round = 0; round <= rounds; round++) {
      if (temperature === "cold") rmSync(path.join(this.#root, "inventories"), { recursive: true, force: true });
      const elapsedMs = this.#run(args);
      if (round > 0) times["slipway"]?.push(elapsedMs);
      const queryMs = timeOf("dpkg-query", ["--admindir", path.join(this.#folder, "root/var/lib/dpkg"), "-W"], process.env);
      if (round > 0) (times["dpkg-query"] ??= []).push(queryMs);
    }
    return Object.entries(times).map(([contestant, timesMs]) => ({ case: name, description, contestant, timesMs }));
  }

  #run(args: readonly string[]): number {
    const [program = "", ...first] = this.#words;
    return timeOf(program, [...first, ...args], { ...process.env, SLIPWAY_ROOT: this.#root });
  }
}

function timeOf(program: string, args: readonly string[], env: NodeJS.ProcessEnv): number {
  const begun = performance.now();
  const result = spawnSync(program, args, { env, encoding: "utf8", maxBuffer: 2 ** 28 });
  const elapsedMs = performance.now() - begun;
  if (result.status !== 0) throw new Error(`${program} ${args.join(" ")} failed:\n${result.stderr}`);
  return elapsedMs;
}

/** As Debian's tracker publishes it: of each source package so many, one in twenty of which nobody mended. */
function feedOf(stanzas: readonly string[]): object {
  const sources = [...new Set(stanzas.map((stanza) => fieldOf(stanza, "Source").replace(/ .*/, "") || fieldOf(stanza, "Package")))];
  const each = Math.ceil(advisories / sources.length);
  const record = (at: number): object => ({
    description: `advisory ${at}`,
    releases: { bookworm: at % 20 === 0 ? { status: "open", urgency: "low" } : { status: "resolved", fixed_version: `0~${at}`, urgency: "medium" } },
  });
  return Object.fromEntries(
    sources.map((source, index) => [
      source,
      Object.fromEntries(Array.from({ length: each }, (_, at) => [`CVE-2024-${10_000 + index * each + at}`, record(at)])),
    ]),
  );
}
