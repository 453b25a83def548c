import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isSlipwayError } from "../../base/errors.ts";
import { annotationsFor, indexAnnotations, parseAnnotations, type Annotations } from "./annotations.ts";

const amd64 = { os: "linux", architecture: "amd64" };
const arm64 = { os: "linux", architecture: "arm64", variant: "v8" };

describe("annotations", () => {
  const rows: readonly (readonly [text: string, level: keyof Annotations, key: string, value: string])[] = [
    ["a=b", "manifest", "a", "b"],
    ["a=b=c", "manifest", "a", "b=c"],
    ["manifest:a=", "manifest", "a", ""],
    ["index:org.x/y=1", "index", "org.x/y", "1"],
    ["manifest-descriptor:a=1", "manifestDescriptor", "a", "1"],
    ["index-descriptor:a=1", "indexDescriptor", "a", "1"],
    ["manifest[linux/amd64]:a=1", "manifest", "a", "1"],
    ["other:a=1", "manifest", "other:a", "1"],
  ];
  for (const [text, level, key, value] of rows) test(text, () => assert.deepEqual(annotationsFor(parseAnnotations([text]), amd64)[level], { [key]: value }));

  test("several levels at once", () => {
    const { index, manifest } = annotationsFor(parseAnnotations(["index,manifest:a=1", "b=2"]), amd64);
    assert.deepEqual([index, manifest], [{ a: "1" }, { a: "1", b: "2" }]);
  });

  test("for one platform of several", () => {
    const parsed = parseAnnotations(["all=1", "manifest[linux/arm64],manifest-descriptor[linux/arm64]:a=2", "manifest[linux/amd64]:a=3", "index:i=4"]);
    assert.deepEqual(
      [amd64, arm64].map((platform) => annotationsFor(parsed, platform)).map(({ manifest, manifestDescriptor }) => [manifest, manifestDescriptor]),
      [
        [{ all: "1", a: "3" }, {}],
        [{ all: "1", a: "2" }, { a: "2" }],
      ],
    );
    assert.deepEqual(indexAnnotations(parsed), { manifest: {}, manifestDescriptor: {}, index: { i: "4" }, indexDescriptor: {} });
  });

  for (const text of ["", "a", "=b"])
    test(`refuses ${JSON.stringify(text)}`, () =>
      assert.throws(
        () => parseAnnotations([text]),
        (error) => isSlipwayError(error, "INVALID_ANNOTATION"),
      ));
});
