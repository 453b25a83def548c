/** Dockerfiles whose config, history and errors were recorded from Docker. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { SlipwayError } from "../base/errors.ts";
import type { ImageConfig } from "../oci/image-config.ts";
import { createdBy, lower, lowering, type TestOptions } from "./test-lowering.ts";

interface Recorded extends Pick<TestOptions, "buildArgs" | "labels"> {
  readonly name: string;
  readonly dockerfile: string;
  readonly target?: string;
}

function read<Row>(name: string): readonly Row[] {
  return JSON.parse(readFileSync(new URL(`testdata/${name}`, import.meta.url), "utf8")) as Row[];
}

function optionsOf({ buildArgs, labels, target }: Recorded): TestOptions {
  return { ...(buildArgs === undefined ? {} : { buildArgs }), ...(labels === undefined ? {} : { labels }), ...(target === undefined ? {} : { target }) };
}

describe("history and config as Docker's", () => {
  for (const row of read<Recorded & { readonly config: string }>("configs.json")) {
    test(row.name, () => {
      const want = JSON.parse(row.config) as ImageConfig;
      const lowered = lower(row.dockerfile, optionsOf(row));
      const history = (want.history ?? []).filter(({ comment }) => comment === "buildkit.dockerfile.v0");
      assert.deepEqual(
        createdBy(lowered),
        history.map(({ created_by }) => created_by),
      );
      assert.deepEqual(
        lowered.image.history.map(({ vertex }) => vertex === undefined),
        history.map(({ empty_layer }) => empty_layer === true),
      );
      assert.deepEqual(withoutEmpty(lowered.image.config), want.config);
      assert.deepEqual([lowered.image.author, lowered.image.platform.architecture], [want.author, want.architecture]);
    });
  }
});

/** Docker's JSON leaves out what is empty. */
function withoutEmpty(config: object): object {
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== "" && value !== undefined && !(Array.isArray(value) && value.length === 0)));
}

describe("errors in Docker's words", () => {
  for (const row of read<Recorded & { readonly message: string }>("errors.json")) {
    test(row.name, () => {
      assert.throws(
        () => lowering(row.dockerfile, optionsOf(row)),
        (error) => error instanceof SlipwayError && assert.equal(error.message, row.message) === undefined,
      );
    });
  }
});
