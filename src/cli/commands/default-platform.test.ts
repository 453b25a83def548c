import assert from "node:assert/strict";
import { test } from "node:test";
import type { Digest } from "../../oci/index.ts";
import { runInMemory } from "../memory-cli.ts";

const id = `sha256:${"ab".repeat(32)}` as Digest;
const env = { DOCKER_DEFAULT_PLATFORM: "linux/arm64" };

/** What the engine is asked for. */
async function platformAsked(words: readonly string[], environment: Readonly<Record<string, string>>): Promise<string | undefined> {
  let asked: string | undefined;
  const images = {
    import: async (_: unknown, options?: { readonly platform?: string }) => {
      asked = options?.platform;
      return id;
    },
    pull: (_: string, options?: { readonly platform?: string }) => {
      asked = options?.platform;
      const result = Promise.resolve({ reference: "docker.io/library/a:latest", id, digest: id, status: "" });
      return { result, async *[Symbol.asyncIterator]() {} };
    },
  };
  assert.equal((await runInMemory(words, { engine: { images }, env: environment })).code, 0);
  return asked;
}

const rows: readonly (readonly [words: string, want: string])[] = [
  ["import -", "linux/arm64"],
  ["import --platform linux/amd64 -", "linux/amd64"],
  ["pull a", "linux/arm64"],
  ["pull --platform linux/amd64 a", "linux/amd64"],
];

for (const [words, want] of rows) {
  test(`DOCKER_DEFAULT_PLATFORM=linux/arm64 slipway ${words}`, async () => assert.equal(await platformAsked(words.split(" "), env), want));
}

test("without either nothing is asked for", async () => assert.equal(await platformAsked(["pull", "a"], {}), undefined));
