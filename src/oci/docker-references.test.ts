/** Names of images as `docker tag` takes or refuses them, recorded from Docker 28.5. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { familiarName, parseReference, withDefaultTag } from "./reference.ts";

interface Recorded {
  readonly name: string;
  readonly familiar?: string;
  readonly refusal?: string;
}

const recorded = JSON.parse(readFileSync(new URL("testdata/docker-references.json", import.meta.url), "utf8")) as readonly Recorded[];
const label = (name: string): string => (name.length > 40 ? `${name.slice(0, 20)}… of ${name.length} letters` : name);

describe("taken", () => {
  for (const { name, familiar } of recorded.filter((one) => one.refusal === undefined)) {
    test(label(name), () => assert.equal(familiarName(withDefaultTag(parseReference(name))), familiar));
  }
});

describe("refused", () => {
  for (const { name, refusal = "" } of recorded.filter((one) => one.refusal !== undefined)) {
    test(label(name), () =>
      assert.throws(
        () => parseReference(name),
        (error: Error) => {
          assert.equal(`Error parsing reference: ${JSON.stringify(name)} is not a valid repository/tag: ${error.message}`, refusal);
          return true;
        },
      ),
    );
  }
});
