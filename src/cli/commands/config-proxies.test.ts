import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { SlipwayError } from "../../base/errors.ts";
import type { BuildOptions } from "../../engine/api.ts";
import { runInMemory } from "../memory-cli.ts";

const home = mkdtempSync(join(tmpdir(), "slipway-proxies-"));
after(() => rmSync(home, { recursive: true }));
mkdirSync(join(home, ".docker"));
const proxies = { default: { httpProxy: "http://p:1", noProxy: "a.example", allProxy: "" }, "tcp://elsewhere": { httpsProxy: "http://q" } };
writeFileSync(join(home, ".docker/config.json"), JSON.stringify({ proxies }));
const all = { HTTP_PROXY: "http://p:1", http_proxy: "http://p:1", NO_PROXY: "a.example", no_proxy: "a.example" };

const noImage = (): never => {
  throw new SlipwayError("not_found", "NO_SUCH_IMAGE", "none");
};

/** What the engine is given; the command itself fails then. */
async function asked(words: readonly string[], env: Readonly<Record<string, string>>): Promise<unknown> {
  let got: unknown = "nothing";
  const stop = (value: unknown): never => {
    got = value;
    throw new Error("seen");
  };
  const engine = {
    build: (options: BuildOptions) => stop(options.buildArgs),
    images: { inspect: noImage },
    containers: { create: async (options: { readonly env?: readonly string[] }) => stop(options.env) },
  };
  await runInMemory(words, { engine, env, cwd: home });
  return got;
}

test("a build gets them as arguments, unless it has its own", async () => {
  assert.deepEqual(await asked(["build", "."], { HOME: home }), all);
  const { http_proxy: _, ...others } = all;
  assert.deepEqual(await asked(["build", "--build-arg", "http_proxy=own", "."], { HOME: home }), { ...others, http_proxy: "own" });
  assert.deepEqual(await asked(["build", "."], { HOME: "/nonexistent" }), {});
  assert.deepEqual(await asked(["build", "."], { DOCKER_CONFIG: join(home, ".docker"), HOME: "/nonexistent" }), all);
});

test("a container gets them as variables, unless it has its own", async () => {
  const words = Object.entries(all).map(([name, value]) => `${name}=${value}`);
  assert.deepEqual(await asked(["create", "busybox"], { HOME: home }), words);
  const own = words.filter((word) => !word.startsWith("NO_PROXY="));
  assert.deepEqual(await asked(["create", "-e", "NO_PROXY", "busybox"], { HOME: home }), [...own, "NO_PROXY"]);
});
