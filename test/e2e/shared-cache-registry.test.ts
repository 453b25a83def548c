/** A cache behind a registry's name, and an image that carries its own. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, describe, test } from "node:test";
import { createDistribution, startHttpServer } from "../../src/distribution/index.ts";
import { createMemoryStorage } from "../../src/distribution/memory-storage.ts";
import { startRegistry } from "../lab/registry.ts";
import { createSandbox, statesOf, type Outcome, type Sandbox } from "./sandbox.ts";

const absent = spawnSync("docker-registry", ["--version"]).error !== undefined;

describe("caches in a registry", { skip: absent ? "needs docker-registry (Debian package docker-registry)" : false }, async () => {
  if (absent) return;
  const builder = await createSandbox();
  const other = await createSandbox();
  const registry = await startRegistry(builder.directory);
  after(async () => {
    await registry[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
    await builder[Symbol.asyncDispose]();
  });
  const host = registry.address;
  const dockerfile = (marker: string): string =>
    `FROM busybox AS b\nRUN --mount=type=cache,target=/c echo ${marker} | tee /c/f >/f\nFROM busybox\nCOPY --from=b /f /f\nCOPY own ./\nRUN cat /f own >/g\n`;
  const build = async (sandbox: Sandbox, marker: string, flags: readonly string[]): Promise<Outcome> => {
    const outcome = await sandbox.call(["build", "--progress=plain", ...flags, sandbox.folder({ Dockerfile: dockerfile(marker), own: "x" })]);
    assert.equal(outcome.code, 0, outcome.stderr);
    return outcome;
  };
  const states = (outcome: Outcome): readonly string[] => statesOf(outcome, /\] (RUN|COPY) /);

  test("what one store wrote is a hit in another; what is there is not sent again", async () => {
    const target = `type=registry,ref=${host}/app:cache,mode=max,mounts=all`;
    const written = await build(builder, "one", ["--cache-to", target]);
    assert.match(written.stderr, /exporting cache to registry/);
    assert.match(written.stderr, /writing cache image manifest sha256:/);
    const taken = await build(other, "one", ["--cache-from", `${host}/app:cache`, "-t", "one:1"]);
    assert.deepEqual(states(taken), ["cached", "cached", "cached", "cached"], taken.stderr);
    assert.equal(await other.ok(["cat", "one:1:/g"]), "one\nx");
    await build(other, "one", ["--cache-from", `${host}/app:cache`, "--cache-to", `${host}/app:again`]);
  });

  test("an image that carries its cache is named like any other; the stage that it leaves out does not run", async () => {
    await build(builder, "two", ["--build-arg", "BUILDKIT_INLINE_CACHE=1", "-t", `${host}/app:two`]);
    await builder.ok(["push", "-q", `${host}/app:two`]);
    const taken = await build(other, "two", ["--cache-from", `type=registry,ref=${host}/app:two`]);
    assert.deepEqual(states(taken), ["cached", "cached", "cached"], taken.stderr);
  });

  for (const mode of ["min", "max"]) {
    test(`mode=${mode}: a step's layer is in the cache before the next step has ended`, async () => {
      const sent = Promise.withResolvers<undefined>();
      const storage = createMemoryStorage();
      let uploads = 0;
      const commitUpload: typeof storage.commitUpload = async (...upload) => {
        const committed = await storage.commitUpload(...upload);
        // the base's layer and the first step's
        if (++uploads === 2) sent.resolve(undefined);
        return committed;
      };
      const caches = await startHttpServer(createDistribution({ ...storage, commitUpload }));
      const gate = createServer((_, response) => void sent.promise.then(() => response.end("open")));
      await once(gate.listen(0, "127.0.0.1"), "listening");
      const url = `http://127.0.0.1:${(gate.address() as AddressInfo).port}/`;
      try {
        const folder = builder.folder({ Dockerfile: `FROM busybox\nRUN echo ${mode} >/f\nRUN --network=host busybox wget -q -O /g ${url}\n` });
        const target = `type=registry,ref=${caches.host}/early:${mode},mode=${mode}`;
        await builder.ok(["build", "--allow", "network.host", "--cache-to", target, "-t", "early:1", folder]);
        assert.equal(await builder.ok(["cat", "early:1:/g"]), "open");
        assert.deepEqual(await storage.tags("early"), [mode]);
      } finally {
        gate.close();
        await caches.close();
      }
    });
  }

  test("a name that the registry does not know is told, and the build goes on", async () => {
    const outcome = await build(other, "three", ["--cache-from", `${host}/app:none`]);
    assert.match(outcome.stderr, /importing cache manifest from .*:none\n#\d+ ERROR: failed to configure registry cache importer: \S+:none: not found/);
    assert.deepEqual(new Set(states(outcome)), new Set(["done"]));
  });
});
