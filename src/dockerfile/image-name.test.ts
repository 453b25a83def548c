import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isImageName } from "./image-name.ts";

describe("isImageName", () => {
  const good = [
    "a",
    "a/b",
    "localhost:5000/x",
    "Foo/bar",
    "[::1]:5000/a",
    "a:B_1.x",
    "e/a-b__c.d---f",
    `a@sha256:${"a".repeat(64)}`,
    `h.io/a:1@sha256:${"0".repeat(64)}`,
  ];
  const bad = ["", "A", "a..b", "a/B", "foo:", "foo:bar@sha256:aa", "a".repeat(64), "a/", "/a", "a b", "a:-x", "-h.io/a", "x".repeat(300)];
  for (const name of good) it(`takes ${name}`, () => assert.equal(isImageName(name), true));
  for (const name of bad) it(`refuses ${name}`, () => assert.equal(isImageName(name), false));
});
