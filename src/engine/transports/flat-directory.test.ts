/** `dir:`, file by file as skopeo writes it. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { after, describe, test } from "node:test";
import { hexOf } from "../../oci/digest.ts";
import { Slipway } from "../slipway.ts";
import { LayoutDraft, TestDirectory } from "./test-layout.ts";

describe("an image in a flat directory", async () => {
  const directory = new TestDirectory();
  const engine = await Slipway.open({ root: directory.at("store") });
  after(async () => {
    await engine.close();
    directory[Symbol.dispose]();
  });
  const draft = new LayoutDraft();
  const amd64 = draft.image([[{ path: "a", content: "for amd64" }]], { os: "linux", architecture: "amd64" });
  const s390x = draft.image([[{ path: "a", content: "for s390x" }]], { os: "linux", architecture: "s390x" });
  const both = draft.index([amd64, s390x]);
  draft.name(both, "both").name(amd64, "one").write(directory.at("source"));
  const copy = async (from: string, to: string): Promise<string> => (await engine.transfer.copy(from, to, { cwd: directory.path, env: {} }).result).digest;
  const files = (name: string): readonly string[] => readdirSync(directory.at(name)).toSorted();
  const blobsOf = (...digests: readonly string[]): readonly string[] =>
    digests.flatMap((digest) => {
      const manifest = JSON.parse(String(draft.files.get(`blobs/sha256/${digest.slice(7)}`))) as {
        readonly config: { readonly digest: string };
        readonly layers: readonly { readonly digest: string }[];
      };
      return [manifest.config, ...manifest.layers].map((blob) => blob.digest.slice(7));
    });

  test("one image, there and back", async () => {
    assert.equal(await copy("oci:source:one", "dir:one"), amd64.digest);
    assert.deepEqual(files("one"), [...blobsOf(amd64.digest), "manifest.json", "version"].toSorted());
    assert.equal(readFileSync(directory.at("one", "version"), "utf8"), "Directory Transport Version: 1.1\n");
    assert.equal(await copy("dir:one", "oci:back:one"), amd64.digest);
  });

  test("an index with its manifests takes the place of another image", async () => {
    assert.equal(await copy("oci:source:both", "dir:one"), both.digest);
    const manifests = [amd64, s390x].map(({ digest }) => `${hexOf(digest)}.manifest.json`);
    const blobs = new Set(blobsOf(amd64.digest, s390x.digest));
    assert.deepEqual(files("one"), [...blobs, ...manifests, "manifest.json", "version"].toSorted());
    assert.equal(await copy("dir:one", "oci:back:both"), both.digest);
    assert.equal(await copy("oci:source:one", "dir:one"), amd64.digest);
    assert.deepEqual(files("one"), [...blobsOf(amd64.digest), "manifest.json", "version"].toSorted());
  });

  test("what is no image is not overwritten, what is damaged is not believed", async () => {
    mkdirSync(directory.at("other"));
    writeFileSync(directory.at("other", "letter.txt"), "dear");
    await assert.rejects(copy("oci:source:one", "dir:other"), { code: "TARGET_UNSUPPORTED" });
    assert.deepEqual(files("other"), ["letter.txt"]);
    await assert.rejects(copy("dir:other", "oci:back:x"), { code: "IMAGE_NOT_IN_PLACE" });
    const [blob = ""] = blobsOf(amd64.digest).slice(1);
    const path = directory.at("one", blob);
    writeFileSync(path, readFileSync(path).fill(0, 20, 24));
    await assert.rejects(copy("dir:one", "oci:damaged:x"), { code: "DIGEST_MISMATCH" });
  });
});
