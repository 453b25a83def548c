import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { describe, test } from "node:test";
import { digestOf, type Digest } from "../../oci/digest.ts";
import type { Store } from "../../store/index.ts";
import { removeImage } from "./remove.ts";
import { addContainer, addImage, openTestStore } from "./test-images.ts";

interface Case {
  readonly name: string;
  readonly names: readonly string[];
  /** repositories whose digest points to the image too */
  readonly digests?: readonly string[];
  readonly container?: "running" | "stopped";
  /** ID stands for the image's short id */
  readonly remove: string;
  readonly force?: boolean;
  /** lines, ID for the id; or the error's message with SHORT for the short id */
  readonly want: readonly string[] | string;
}

const manifest = digestOf("manifest");
const both = ["docker.io/library/a:1", "docker.io/library/b:1"];
const one = ["docker.io/library/a:1"];

const cases: readonly Case[] = [
  { name: "the last name takes the image along", names: one, remove: "a:1", want: ["untagged a:1", "deleted ID"] },
  { name: "another name keeps it", names: both, remove: "b:1", want: ["untagged b:1"] },
  {
    name: "by what no image can be called",
    names: one,
    remove: "A B",
    want: "invalid reference format: repository name (library/A B) must be lowercase",
  },
  { name: "by an id's prefix that no image has", names: one, remove: "sha256:ffff", want: "No such image: sha256:ffff" },
  { name: "by id", names: one, remove: "ID", want: ["untagged a:1", "deleted ID"] },
  { name: "by id without a name", names: [], remove: "ID", want: ["deleted ID"] },
  {
    name: "by id with two names",
    names: both,
    remove: "ID",
    want: "conflict: unable to delete SHORT (must be forced) - image is referenced in multiple repositories",
  },
  { name: "by id with two names, forced", names: both, remove: "ID", force: true, want: ["untagged a:1", "untagged b:1", "deleted ID"] },
  {
    name: "the digest goes silently with the repository's last tag",
    names: one,
    digests: ["docker.io/library/a"],
    remove: "a:1",
    want: ["untagged a:1", "deleted ID"],
  },
  { name: "a digest names its repository's tags", names: both, digests: ["docker.io/library/a"], remove: `a@${manifest}`, want: ["untagged a:1"] },
  {
    name: "a digest is a name where there is no tag",
    names: [],
    digests: ["docker.io/library/a"],
    remove: `a@${manifest}`,
    want: [`untagged a@${manifest}`, "deleted ID"],
  },
  { name: "a digest elsewhere keeps the image", names: one, digests: ["docker.io/library/z"], remove: "a:1", want: ["untagged a:1"] },
  {
    name: "the last name of an image in use",
    names: one,
    container: "stopped",
    remove: "a:1",
    want: "conflict: unable to delete a:1 (must be forced) - container cccccccccccc is using its referenced image SHORT",
  },
  { name: "forced, the container keeps the image", names: one, container: "running", remove: "a:1", force: true, want: ["untagged a:1"] },
  { name: "one of two names of an image in use", names: both, container: "running", remove: "b:1", want: ["untagged b:1"] },
  {
    name: "by id, stopped container",
    names: both,
    container: "stopped",
    remove: "ID",
    want: "conflict: unable to delete SHORT (must be forced) - image is being used by stopped container cccccccccccc",
  },
  {
    name: "by id, stopped container, forced",
    names: both,
    container: "stopped",
    remove: "ID",
    force: true,
    want: ["untagged a:1", "untagged b:1", "deleted ID"],
  },
  {
    name: "by id, running container, forced",
    names: one,
    container: "running",
    remove: "ID",
    force: true,
    want: "conflict: unable to delete SHORT (cannot be forced) - image is being used by running container cccccccccccc",
  },
  { name: "nothing of the name", names: one, remove: "nope", want: "No such image: nope:latest" },
];

function prepared(store: Store, { names, digests = [], container }: Case): Digest {
  const id = addImage(store, { names });
  for (const repository of digests) store.images.addRepoDigest(repository, manifest, id);
  if (container !== undefined) addContainer(store, id, { running: container === "running" });
  return id;
}

describe("rmi", () => {
  for (const item of cases) {
    test(item.name, () => {
      using box = openTestStore();
      const id = prepared(box.store, item);
      const short = id.slice(7, 19);
      const remove = (): readonly string[] =>
        removeImage(box.store, item.remove === "ID" ? short : item.remove, { force: item.force === true }).map((line) =>
          ("untagged" in line ? `untagged ${line.untagged}` : `deleted ${line.deleted}`).replace(id, "ID"),
        );
      if (typeof item.want === "string") assert.throws(remove, { message: item.want.replace("SHORT", short) });
      else {
        assert.deepEqual(remove(), item.want);
        assert.equal(box.store.images.get(id) === undefined, item.want.includes("deleted ID"));
      }
    });
  }

  test("files go, unless another image has them", () => {
    using box = openTestStore();
    addImage(box.store, { names: one, layers: ["shared", "own"] });
    const other = addImage(box.store, { names: ["docker.io/library/b:1"], layers: ["shared"] });
    const [shared = "" as Digest, own = "" as Digest] = box.store.images.chain(box.store.images.byName("docker.io/library/a:1") ?? other);
    const store = box.reopen();
    removeImage(store, "a:1");
    assert.equal(existsSync(store.blobs.path(own)), false);
    assert.equal(existsSync(store.blobs.path(shared)), true);
    assert.deepEqual(store.orphans(), []);
  });
});
