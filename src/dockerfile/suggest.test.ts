import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { findSuggestion, findSuggestionAnyCase } from "./suggest.ts";

describe("findSuggestion", () => {
  it("takes the nearest", () => assert.equal(findSuggestion("mouny", ["mode", "mount", "mouns"]), "mount"));
  it("takes nothing that is far", () => assert.equal(findSuggestion("xyz", ["mount"]), undefined));
  it("takes nothing when the word is known", () => assert.equal(findSuggestion("mount", ["mound", "mount"]), undefined));
  it("keeps upper case", () => assert.equal(findSuggestionAnyCase("RUNN", ["run"]), "RUN"));
});
