import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "../../oci/digest.ts";
import { imageHistory } from "./history.ts";
import { inspectImage } from "./inspect.ts";
import { tagImage } from "./tag.ts";
import { addImage, openTestStore, testLayer } from "./test-images.ts";

test("Docker's keys in Docker's order", () => {
  using box = openTestStore();
  const { store } = box;
  const id = addImage(store, {
    names: ["docker.io/library/a:1"],
    config: {
      Cmd: ["sh"],
      Env: ["A=1"],
      Labels: { z: "1", a: "2" },
      Healthcheck: { Test: ["CMD-SHELL", "true"], Interval: 5 },
      ArgsEscaped: true,
      Volumes: {},
    },
    history: [{ created: "2024-01-01T00:00:00Z", comment: "buildkit.dockerfile.v0" }],
  });
  store.images.addRepoDigest("docker.io/library/a", digestOf("m"), id);
  const { Metadata, ...inspected } = inspectImage(store, "a:1");
  assert.equal(
    JSON.stringify(inspected),
    JSON.stringify({
      Id: id,
      RepoTags: ["a:1"],
      RepoDigests: [`a@${digestOf("m")}`],
      Parent: "",
      Comment: "buildkit.dockerfile.v0",
      Created: "2024-05-01T10:00:00Z",
      DockerVersion: "",
      Author: "",
      Architecture: "amd64",
      Os: "linux",
      Size: 3,
      GraphDriver: { Data: null, Name: "overlayfs" },
      RootFS: { Type: "layers", Layers: [digestOf(testLayer("one"))] },
      Config: {
        ArgsEscaped: true,
        Cmd: ["sh"],
        Entrypoint: null,
        Env: ["A=1"],
        Healthcheck: { Interval: 5, Test: ["CMD-SHELL", "true"] },
        Labels: { a: "2", z: "1" },
        OnBuild: null,
        User: "",
        Volumes: null,
        WorkingDir: "",
      },
    }),
  );
  assert.ok(Math.abs(Date.parse(Metadata.LastTagTime) - Date.now()) < 60_000);
});

test("an image without anything", () => {
  using box = openTestStore();
  const id = addImage(box.store, { layers: [] });
  const inspected = inspectImage(box.store, id);
  assert.deepEqual(inspected.RootFS, { Type: "layers", Layers: null });
  assert.equal(inspected.Metadata.LastTagTime, "0001-01-01T00:00:00Z");
  assert.equal(inspected.Comment, "");
});

test("by id, prefix and tag; what is not there", () => {
  using box = openTestStore();
  const id = addImage(box.store);
  tagImage(box.store, id.slice(7, 19), "new");
  assert.deepEqual(inspectImage(box.store, "new").RepoTags, ["new:latest"]);
  assert.equal(inspectImage(box.store, id.slice(7, 20)).Id, id);
  assert.throws(() => inspectImage(box.store, "nope"), { kind: "not_found", code: "NO_SUCH_IMAGE", message: "No such image: nope:latest" });
  assert.throws(() => tagImage(box.store, "nope", "x"), { code: "NO_SUCH_IMAGE" });
  assert.throws(() => tagImage(box.store, id, `x@${id}`), { code: "INVALID_REFERENCE" });
});

test("history: newest first, sizes with the lines that made a layer", () => {
  using box = openTestStore();
  const id = addImage(box.store, {
    names: ["docker.io/library/h:1"],
    layers: ["base", "second"],
    history: [
      { created: "2024-01-01T00:00:00Z", comment: "Imported from -" },
      { created: "2024-01-02T00:00:00Z", created_by: "ENV A=1", comment: "buildkit.dockerfile.v0", empty_layer: true },
      { created: "2024-01-03T00:00:00Z", created_by: "RUN /bin/sh -c x # buildkit", comment: "buildkit.dockerfile.v0" },
    ],
  });
  assert.deepEqual(imageHistory(box.store, "h:1"), [
    { id, createdSeconds: 1704240000, createdBy: "RUN /bin/sh -c x # buildkit", sizeBytes: 6, comment: "buildkit.dockerfile.v0", tags: ["h:1"] },
    { id: "<missing>", createdSeconds: 1704153600, createdBy: "ENV A=1", sizeBytes: 0, comment: "buildkit.dockerfile.v0", tags: [] },
    { id: "<missing>", createdSeconds: 1704067200, createdBy: "", sizeBytes: 4, comment: "Imported from -", tags: [] },
  ]);
});
