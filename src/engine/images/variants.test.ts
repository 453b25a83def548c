import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hostPlatform } from "../../oci/platform.ts";
import type { Store } from "../../store/index.ts";
import { imageFor } from "../containers/container-image.ts";
import { requireImage } from "../image-names.ts";
import { imageHistory } from "./history.ts";
import { inspectImage } from "./inspect.ts";
import { listImages } from "./list.ts";
import { pruneImages } from "./prune.ts";
import { removeImage } from "./remove.ts";
import { tagImage } from "./tag.ts";
import { addContainer, addImage, addIndex, openTestStore } from "./test-images.ts";
import { ownVariant, variantFor } from "./variants.ts";

const host = hostPlatform().architecture;
const foreign = host === "s390x" ? "riscv64" : "s390x";
const other = host === "ppc64le" ? "riscv64" : "ppc64le";
const names = ["docker.io/library/a:1"];
const noRegistry = async (): Promise<never> => {
  throw new Error("nobody asks a registry here");
};

function imageIn(store: Store, architecture: string): string {
  return store.images.all().find(({ id }) => store.images.config(id).architecture === architecture)?.id ?? "";
}

describe("which image a name means", () => {
  const cases: readonly { readonly name: string; readonly has: readonly string[]; readonly platform?: string; readonly want: string }[] = [
    { name: "this machine's", has: [foreign, host], want: host },
    { name: "the first where this machine's is not here", has: [foreign, other], want: foreign },
    { name: "the one that was asked for", has: [host, foreign], platform: `linux/${foreign}`, want: foreign },
    { name: "an architecture alone", has: [host, foreign], platform: foreign, want: foreign },
  ];
  for (const { name, has, platform, want } of cases) {
    test(name, () => {
      using box = openTestStore();
      const id = addIndex(box.store, has, names);
      const inspected = inspectImage(box.store, "a:1", platform);
      assert.equal(inspected.Architecture, want);
      assert.equal(inspected.Id, platform === undefined ? id : imageIn(box.store, want));
      assert.deepEqual(inspected.RepoTags, ["a:1"]);
      const history = imageHistory(box.store, "a:1", platform);
      assert.deepEqual([history[0]?.createdBy, history[0]?.id], [`for ${want}`, id]);
    });
  }

  test("a platform that it lacks names those it has", () => {
    using box = openTestStore();
    addIndex(box.store, [host, foreign], names);
    const wanted = {
      code: "NO_MATCHING_PLATFORM",
      kind: "not_found",
      message: `image with reference a:1 was found but does not provide the specified platform (linux/${other}): it has linux/${host}, linux/${foreign}`,
    };
    assert.throws(() => inspectImage(box.store, "a:1", `linux/${other}`), wanted);
    assert.throws(() => imageHistory(box.store, "a:1", `linux/${other}`), wanted);
  });

  test("the nearest variant serves a machine", () => {
    using box = openTestStore();
    const id = addIndex(box.store, ["amd64", "arm", "s390x"]);
    assert.equal(variantFor(box.store, id, { os: "linux", architecture: "arm64" })?.platform.architecture, "arm");
    assert.equal(variantFor(box.store, id, { os: "linux", architecture: "riscv64" }), undefined);
    assert.equal(ownVariant(box.store, addImage(box.store, { architecture: foreign })).platform.architecture, foreign);
  });
});

describe("a container", () => {
  const imageOf = async (store: Store, platform?: string): Promise<string> =>
    (await imageFor(store, noRegistry, { image: "a:1", pull: "never", ...(platform === undefined ? {} : { platform }) }, undefined)).imageId;

  test("starts from the image for its platform", async () => {
    using box = openTestStore();
    addIndex(box.store, [foreign, host], names);
    assert.equal(await imageOf(box.store), imageIn(box.store, host));
    assert.equal(await imageOf(box.store, foreign), imageIn(box.store, foreign));
    await assert.rejects(imageOf(box.store, other), { code: "NO_MATCHING_PLATFORM" });
  });

  test("of a lone image for another platform is refused when it was asked for this one", async () => {
    using box = openTestStore();
    addImage(box.store, { names, architecture: foreign });
    assert.equal(await imageOf(box.store), imageIn(box.store, foreign));
    await assert.rejects(imageOf(box.store, `linux/${host}`), { code: "NO_MATCHING_PLATFORM" });
  });
});

describe("an index in lists", () => {
  test("is one image with a variant for each platform; layers that they share count once", () => {
    using box = openTestStore();
    const { store } = box;
    const id = addIndex(store, [host, foreign], names);
    addContainer(store, imageIn(store, foreign) as typeof id);
    const [summary, ...others] = listImages(store);
    assert.deepEqual(others, []);
    assert.deepEqual([summary?.id, summary?.platform, summary?.containers], [id, `linux/${host}`, 1]);
    assert.equal(summary?.sizeBytes, `shared${host}${foreign}`.length);
    assert.deepEqual(
      summary?.layers.map(({ shared }) => shared),
      [false, false, false],
    );
    assert.deepEqual(
      summary?.variants.map(({ platform, sizeBytes, containers }) => [platform, sizeBytes, containers]),
      [
        [`linux/${host}`, `shared${host}`.length, 0],
        [`linux/${foreign}`, `shared${foreign}`.length, 1],
      ],
    );
  });

  test("is found by a name, by its id, and its images by theirs", () => {
    using box = openTestStore();
    const { store } = box;
    const id = addIndex(store, [host, foreign], names);
    tagImage(store, "a:1", "b:2");
    for (const ref of ["a:1", "b:2", id, id.slice(7, 20)]) assert.equal(requireImage(store, ref).id, id);
    assert.equal(inspectImage(store, imageIn(store, foreign)).Architecture, foreign);
  });
});

describe("removing", () => {
  test("the last name takes all platforms along", () => {
    using box = openTestStore();
    const { store } = box;
    const id = addIndex(store, [host, foreign], [...names, "docker.io/library/b:1"]);
    assert.deepEqual(removeImage(store, "a:1"), [{ untagged: "a:1" }]);
    assert.deepEqual(removeImage(store, "b:1"), [{ untagged: "b:1" }, { deleted: id }]);
    assert.deepEqual([store.images.all(), store.indexes.all()], [[], []]);
  });

  test("a container of any platform holds it", () => {
    using box = openTestStore();
    addIndex(box.store, [host, foreign], names);
    addContainer(box.store, imageIn(box.store, foreign) as ReturnType<typeof addIndex>);
    assert.throws(() => removeImage(box.store, "a:1"), { code: "IMAGE_IN_USE" });
  });

  test("one of its images by id is refused", () => {
    using box = openTestStore();
    addIndex(box.store, [host, foreign], names);
    assert.throws(() => removeImage(box.store, imageIn(box.store, foreign), { force: true }), {
      code: "IMAGE_IN_USE",
      message: /it is one of the platforms of image/,
    });
  });

  test("one platform, with force; the name goes with the last", () => {
    using box = openTestStore();
    const { store } = box;
    addIndex(store, [host, foreign], names);
    const gone = imageIn(store, foreign);
    assert.throws(() => removeImage(store, "a:1", { platforms: [foreign] }), { code: "IMAGE_IN_USE", message: /Use --force/ });
    assert.deepEqual(removeImage(store, "a:1", { platforms: [foreign], force: true }), [{ deleted: gone }]);
    assert.deepEqual(
      listImages(store)[0]?.variants.map(({ platform }) => platform),
      [`linux/${host}`],
    );
    removeImage(store, "a:1", { platforms: [host], force: true });
    assert.deepEqual([listImages(store), store.images.allNames()], [[], []]);
  });

  test("image prune takes an index without a name, whole, and leaves the images of one with a name", async () => {
    using box = openTestStore();
    const { store } = box;
    const id = addIndex(store, [host, foreign]);
    addIndex(store, [foreign, host], names, { kept: "yes" });
    const before = store.images.all().length;
    assert.deepEqual((await pruneImages(store, { dryRun: true })).removed, [{ untagged: id }, { deleted: id }]);
    assert.deepEqual((await pruneImages(store)).removed, [{ untagged: id }, { deleted: id }]);
    assert.equal(store.images.all().length, before);
    await pruneImages(store, { all: true });
    assert.deepEqual([store.images.all(), store.indexes.all()], [[], []]);
  });
});
