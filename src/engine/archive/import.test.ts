import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { digestOf } from "../../oci/digest.ts";
import { imageHistory } from "../images/history.ts";
import { inspectImage } from "../images/inspect.ts";
import { openTestStore, streamOf, tarOf } from "../images/test-images.ts";
import { applyChanges } from "./import-changes.ts";
import { importImage, importUrl } from "./import.ts";

const rootfs = tarOf({ "bin/sh": "#!", "etc/hostname": "x" });

describe("import", () => {
  for (const [name, bytes] of [
    ["plain", rootfs],
    ["gzip", gzipSync(rootfs)],
  ] as const) {
    test(`${name}: the layer is the plain tar, kept as it is`, async () => {
      using box = openTestStore();
      const id = await importImage(box.store, streamOf(bytes), { reference: "r:1", changes: ['CMD ["sh"]'], platform: "linux/arm64" });
      const inspected = inspectImage(box.store, "r:1");
      assert.equal(inspected.Id, id);
      assert.deepEqual(inspected.RootFS.Layers, [digestOf(rootfs)]);
      assert.equal(inspected.Comment, "Imported from -");
      assert.equal(inspected.Architecture, "arm64");
      assert.equal(inspected.Size, 3);
      assert.deepEqual(inspected.Config.Cmd, ["sh"]);
      assert.equal(box.store.layers.hasTar(digestOf(rootfs)), true);
      assert.deepEqual(
        imageHistory(box.store, id).map(({ comment, sizeBytes, createdBy }) => [comment, sizeBytes, createdBy]),
        [["Imported from -", 3, ""]],
      );
    });
  }

  test("a message of one's own, no name", async () => {
    using box = openTestStore();
    const id = await importImage(box.store, streamOf(rootfs), { message: "by hand" });
    assert.equal(inspectImage(box.store, id).Comment, "by hand");
    assert.deepEqual(inspectImage(box.store, id).RepoTags, []);
  });

  test("from an http address, which the history names", async () => {
    const { createServer } = process.getBuiltinModule("node:http");
    const server = createServer((request, response) => void (request.url === "/r.tar" ? response.end(rootfs) : response.writeHead(404).end()));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      using box = openTestStore();
      const address = server.address();
      const origin = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
      const id = await importUrl(box.store, `${origin}/r.tar`);
      assert.deepEqual([inspectImage(box.store, id).Comment, inspectImage(box.store, id).RootFS.Layers], [`Imported from ${origin}/r.tar`, [digestOf(rootfs)]]);
      await assert.rejects(importUrl(box.store, `${origin}/none`), { code: "DOWNLOAD_FAILED", message: "invalid response status 404" });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  const refused: readonly (readonly [string, Uint8Array, Parameters<typeof importImage>[2], string])[] = [
    ["no tar", Buffer.from("hello"), {}, "TAR_TRUNCATED"],
    ["cut off", rootfs.subarray(0, 600), {}, "TAR_TRUNCATED"],
    ["a name outside", tarOf({ "../x": "y" }), {}, "TAR_PATH_ESCAPES"],
    ["a bad name", rootfs, { reference: "BAD:1" }, "INVALID_REFERENCE"],
    ["a name with a digest", rootfs, { reference: `x@${digestOf("x")}` }, "INVALID_IMAGE_NAME"],
    ["a name that looks like a digest", rootfs, { reference: "sha256:abc" }, "INVALID_IMAGE_NAME"],
    ["an empty change", rootfs, { changes: [""] }, "INVALID_CHANGE"],
    ["a bad change", rootfs, { changes: ["RUN x"] }, "INVALID_CHANGE"],
    ["a bad platform", rootfs, { platform: "toaster" }, "INVALID_PLATFORM"],
  ];
  for (const [name, bytes, options, code] of refused) {
    test(`${name} leaves nothing`, async () => {
      using box = openTestStore();
      await assert.rejects(importImage(box.store, streamOf(bytes), options), { code });
      assert.deepEqual([box.store.images.all(), box.store.orphans()], [[], []]);
      assert.equal(box.store.blobs.has(digestOf(bytes)), false);
    });
  }
});

describe("changes", () => {
  const cases: readonly (readonly [readonly string[], object])[] = [
    [[], {}],
    [["CMD echo hi"], { Cmd: ["/bin/sh", "-c", "echo hi"] }],
    [['CMD ["a"]', 'ENTRYPOINT ["b"]'], { Cmd: ["a"], Entrypoint: ["b"] }],
    [["CMD ["], { Cmd: ["/bin/sh", "-c", "["] }],
    [["ENV A=$PATH B=${A}", "ENV C=${B}x"], { Env: ["A=", "B=", "C=x"] }],
    [["EXPOSE 80 90/udp"], { ExposedPorts: { "80/tcp": {}, "90/udp": {} } }],
    [['LABEL a=b c="d e"'], { Labels: { a: "b", c: "d e" } }],
    [["WORKDIR x", "WORKDIR y", "WORKDIR ../z"], { WorkingDir: "/x/z" }],
    [["USER me", "VOLUME /d", "STOPSIGNAL 9", "ONBUILD RUN x"], { User: "me", Volumes: { "/d": {} }, StopSignal: "9", OnBuild: ["RUN x"] }],
    [["HEALTHCHECK NONE"], { Healthcheck: { Test: ["NONE"] } }],
    [["USER a\nENV B=c"], { User: "a", Env: ["B=c"] }],
  ];
  for (const [changes, want] of cases) test(JSON.stringify(changes), () => assert.deepEqual(applyChanges({}, changes), want));

  test("what an image has stays", () => {
    const config = { Env: ["A=1"], Cmd: ["x"], ArgsEscaped: true };
    assert.deepEqual(applyChanges(config, ["ENV B=$A"]), { ...config, Env: ["A=1", "B=1"] });
  });

  const refused: readonly (readonly [string, string])[] = [
    ["RUN x", "RUN is not a valid change command"],
    ["FOO x", "FOO is not a valid change command"],
    ["FROM x", "FROM is not a valid change command"],
    ['shell ["a"]', "SHELL is not a valid change command"],
    ["COPY a b", "COPY is not a valid change command"],
    ["ENV", "ENV requires at least one argument"],
  ];
  for (const [change, message] of refused) test(change, () => assert.throws(() => applyChanges({}, [change]), { code: "INVALID_CHANGE", message }));
});
