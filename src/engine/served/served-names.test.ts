import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { formatReference, parseReference } from "../../oci/reference.ts";
import { servedRepository, storeNames } from "./served-names.ts";

const server = "127.0.0.1:5000";

describe("names of the store as a registry has them", () => {
  const table: readonly (readonly [name: string, repository: string])[] = [
    ["app:1", "app"],
    ["team/app:1", "team/app"],
    ["docker.io/library/app:1", "app"],
    ["ghcr.io/org/app:1", "ghcr.io/org/app"],
    ["127.0.0.1:5000/app:1", "app"],
    ["localhost:5000/team/app:1", "team/app"],
    ["box.example:5000/app:1", "app"],
    ["localhost:6000/app:1", "localhost_6000/app"],
    ["registry.example:8443/a/b:1", "registry.example_8443/a/b"],
  ];
  for (const [name, repository] of table) {
    test(`${name} is ${repository}`, () => {
      const reference = parseReference(name);
      assert.equal(servedRepository(reference, server, ["box.example"]), repository);
      const found = storeNames(repository, "1", server, ["box.example"]).map(formatReference);
      assert.ok(found.includes(formatReference(reference)), found.join(" "));
    });
  }

  test("the store's own name comes first, a name that it cannot have is none", () => {
    assert.equal(formatReference(storeNames("app", "1", server)[0] ?? parseReference("none")), "docker.io/library/app:1");
    assert.deepEqual(storeNames("app", "-bad", server), []);
  });
});
