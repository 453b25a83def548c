import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkDockerfile } from "./checks.ts";
import { createIgnoreMatcher, parseIgnore } from "./ignore.ts";
import { ownRules } from "./own-rules.ts";
import { parseDockerfile } from "./parse.ts";
import { ruleExamples } from "./rule-examples.ts";
import { formatRulePages, ignoreOf } from "./rule-pages.ts";
import { rules, type RuleName } from "./rules.ts";

const names = Object.keys(ruleExamples) as readonly RuleName[];

function found(name: RuleName, kind: "bad" | "good"): readonly string[] {
  const example = ruleExamples[name];
  const ignore = createIgnoreMatcher(parseIgnore(ignoreOf(example, kind) ?? ""));
  const directory = example.contextDirectory;
  const inContext = (which: string): string | undefined =>
    directory === undefined || !directory.endsWith(which) || ignore.matches(directory) ? undefined : directory;
  const warnings = checkDockerfile(parseDockerfile(example[kind]), {
    ignore,
    baseImage: (image) => ({
      variables: [],
      triggers: [],
      mismatch: image.endsWith("only-for-amd64") ? { actual: "linux/amd64", expected: "linux/arm64" } : undefined,
    }),
    nestedNodeModules: () => inContext("node_modules"),
    repository: () => inContext(".git"),
  });
  return [...new Set(warnings.map(({ rule }) => rule))];
}

describe("the pages of the rules", () => {
  it("are there for each rule", () => assert.deepEqual(names.toSorted(), [...Object.keys(rules), ...Object.keys(ownRules)].toSorted()));
  for (const name of names) {
    it(`${name}: the bad example breaks the rule`, () => assert.ok(found(name, "bad").includes(name), found(name, "bad").join()));
    it(`${name}: the good example breaks none`, () => assert.deepEqual(found(name, "good"), []));
  }
  it("hold both examples", () => {
    const pages = formatRulePages();
    const page = pages.get("apt-lists-in-layer.md") ?? "";
    assert.ok(page.includes(ruleExamples.AptListsInLayer.bad) && page.includes(ruleExamples.AptListsInLayer.good));
    assert.equal(pages.size, names.length + 1);
  });
});
