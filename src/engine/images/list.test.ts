import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { describe, test } from "node:test";
import type { Filters } from "../api.ts";
import { listImages } from "./list.ts";
import { addContainer, addImage, openTestStore } from "./test-images.ts";

const now = Date.UTC(2024, 5, 1);

test("newest first, sizes and shared layers by layer, containers counted", () => {
  using box = openTestStore();
  const { store } = box;
  const old = addImage(store, { names: ["docker.io/library/old:1"], layers: ["base"], created: "2024-01-01T00:00:00.1Z", config: { Labels: { a: "b" } } });
  const young = addImage(store, { names: ["localhost:5000/x/young:2"], layers: ["base", "more"], created: "2024-01-01T00:00:00.2Z", architecture: "arm64" });
  addContainer(store, old);
  const [first, second, ...others] = listImages(store);
  assert.deepEqual(others, []);
  assert.deepEqual([first?.id, second?.id], [young, old]);
  assert.deepEqual(first?.repoTags, ["localhost:5000/x/young:2"]);
  assert.equal(first?.sizeBytes, 8);
  assert.deepEqual(
    first?.layers.map(({ sizeBytes, shared }) => [sizeBytes, shared]),
    [
      [4, true],
      [4, false],
    ],
  );
  assert.equal(first?.platform, "linux/arm64");
  assert.equal(first?.containers, 0);
  assert.equal(second?.containers, 1);
  assert.deepEqual(second?.labels, { a: "b" });
  assert.equal(second?.createdSeconds, Date.UTC(2024, 0, 1) / 1000);
  assert.equal(second?.dangling, false);
});

test("an image whose config is lost is listed all the same, and can be removed", () => {
  using box = openTestStore();
  const { store } = box;
  const lost = addImage(store, { names: ["docker.io/library/lost:1"], layers: ["base"] });
  addImage(store, { names: ["docker.io/library/here:1"], layers: ["more"] });
  rmSync(store.blobs.path(lost));
  assert.deepEqual(
    listImages(store).flatMap(({ repoTags, createdSeconds }) => [repoTags[0], createdSeconds > 0]),
    ["here:1", true, "lost:1", false],
  );
});

describe("filters", () => {
  const cases: readonly { readonly name: string; readonly filters: Filters; readonly reference?: string; readonly want: readonly string[] }[] = [
    { name: "none", filters: {}, want: ["three:1", "two:1,two:2", "one:1", ""] },
    { name: "dangling", filters: { dangling: ["true"] }, want: [""] },
    { name: "not dangling", filters: { dangling: ["false"] }, want: ["three:1", "two:1,two:2", "one:1"] },
    { name: "label", filters: { label: ["stage"] }, want: ["two:1,two:2", "one:1"] },
    { name: "two labels", filters: { label: ["stage=a", "extra"] }, want: ["two:1,two:2"] },
    { name: "before", filters: { before: ["two:1"] }, want: ["one:1", ""] },
    { name: "since", filters: { since: ["one:1"] }, want: ["three:1", "two:1,two:2"] },
    { name: "until", filters: { until: ["2024-02-15T00:00:00Z"] }, want: ["one:1", ""] },
    { name: "repository", filters: { reference: ["two"] }, want: ["two:1,two:2"] },
    { name: "name, which hides the others", filters: { reference: ["two:2"] }, want: ["two:2"] },
    { name: "several names", filters: { reference: ["one", "three"] }, want: ["three:1", "one:1"] },
    { name: "pattern", filters: { reference: ["t*:1"] }, want: ["three:1", "two:1"] },
    { name: "argument", filters: {}, reference: "one", want: ["one:1"] },
    { name: "the full name matches nothing, as with Docker", filters: { reference: ["docker.io/library/one"] }, want: [] },
    { name: "a broken pattern matches nothing", filters: { reference: ["["] }, want: [] },
  ];
  for (const { name, filters, reference, want } of cases) {
    test(name, () => {
      using box = openTestStore();
      const { store } = box;
      const full = (text: string): string => `docker.io/library/${text}`;
      addImage(store, { layers: ["0"], created: "2024-01-01T00:00:00Z" });
      addImage(store, { layers: ["1"], names: [full("one:1")], created: "2024-02-01T00:00:00Z", config: { Labels: { stage: "a" } } });
      addImage(store, { layers: ["2"], names: [full("two:1"), full("two:2")], created: "2024-03-01T00:00:00Z", config: { Labels: { stage: "a", extra: "" } } });
      addImage(store, { layers: ["3"], names: [full("three:1")], created: "2024-04-01T00:00:00Z" });
      const found = listImages(store, { filters, ...(reference === undefined ? {} : { reference }) }, now);
      assert.deepEqual(
        found.map(({ repoTags }) => repoTags.join()),
        want,
      );
    });
  }
  const refused: readonly (readonly [Filters, string])[] = [
    [{ x: ["y"] }, "invalid filter 'x'"],
    [{ dangling: ["maybe"] }, "invalid filter 'dangling=[maybe]'"],
    [{ before: ["nope"] }, "No such image: nope:latest"],
  ];
  for (const [filters, message] of refused) {
    test(message, () => {
      using box = openTestStore();
      assert.throws(() => listImages(box.store, { filters }), { message });
    });
  }
});
