import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fc } from "../base/test-chance.ts";
import { assertChecks, checkDockerfile } from "./checks.ts";
import { createIgnoreMatcher, parseIgnore } from "./ignore.ts";
import { parseDockerfile, parsePrefix } from "./parse.ts";
import { rules, ruleUrl } from "./rules.ts";

const read = (name: string): unknown => JSON.parse(readFileSync(new URL(`testdata/${name}`, import.meta.url), "utf8"));

interface Recorded {
  readonly name: string;
  readonly dockerfile: string;
  readonly ignore?: string;
  readonly warnings: readonly (readonly [rule: string, message: string, line: number])[];
}

describe("checkDockerfile warns as Docker does", () => {
  for (const { name, dockerfile, ignore, warnings } of read("checks.json") as Recorded[]) {
    it(name, () => {
      const matcher = ignore === undefined ? undefined : createIgnoreMatcher(parseIgnore(ignore));
      const found = checkDockerfile(parseDockerfile(dockerfile), { ignore: matcher, baseImage: () => ({ variables: [["PATH", "/bin"]], triggers: [] }) });
      assert.deepEqual(
        found.map(({ rule, message, lines }) => [rule, message, lines?.start]),
        warnings,
      );
    });
  }

  for (const [name, description, url] of read("rules.json") as [keyof typeof rules, string, string][]) {
    it(`describes ${name}`, () => {
      assert.deepEqual([rules[name].description, ruleUrl(name)], [description, url]);
    });
  }
});

function tryParse(text: string): ReturnType<typeof parseDockerfile> | undefined {
  try {
    return parseDockerfile(text);
  } catch {
    return undefined;
  }
}

describe("checkDockerfile", () => {
  const text = "FROM base AS a\nLABEL x=$Y\nCMD a\nFROM a\nLABEL x=$Z\n";
  const cases: { name: string; text?: string; options?: Parameters<typeof checkDockerfile>[1]; expected: readonly string[] }[] = [
    { name: "calls nothing undefined when the base is not known", expected: ["JSONArgsRecommended"] },
    {
      name: "takes the base's variables into account",
      options: { baseImage: () => ({ variables: [["Y", ""]], triggers: [] }) },
      expected: ["UndefinedVar", "JSONArgsRecommended", "UndefinedVar"].toSpliced(0, 1),
    },
    {
      name: "leaves out stages that are not built",
      options: { baseImage: () => ({ variables: [], triggers: [] }), reachable: new Set([1]) },
      expected: ["UndefinedVar"],
    },
    { name: "lets a build argument replace the directive", options: { buildArgs: new Map([["BUILDKIT_DOCKERFILE_CHECK", "skip=all"]]) }, expected: [] },
    { name: "counts build arguments as values", text: "FROM scratch\nARG A\nLABEL a=$A\n", options: { buildArgs: new Map([["A", "1"]]) }, expected: [] },
    { name: "survives words that cannot be expanded", text: "FROM scratch\nENV a=${x\nCOPY ${ /\nRUN --mount=type=x,target=${ y\n", expected: [] },
    { name: "skips everything when asked", text: "# check=skip=all\nFROM scratch as X\nCMD a\n", expected: [] },
    {
      name: "reports a base of another platform, of FROM's own where it names one",
      text: "FROM a\nFROM --platform=$BUILDPLATFORM b\nFROM c AS d\nFROM d\n",
      options: {
        baseImage: (image, platform) => ({
          variables: [],
          triggers: [],
          mismatch: image === "d" || (image === "b" && platform === "linux/riscv64") ? undefined : { actual: "linux/amd64", expected: `${image} ${platform}` },
        }),
        platformArgs: new Map([["BUILDPLATFORM", "linux/riscv64"]]),
        reachable: new Set([0, 1, 3]),
      },
      expected: ["InvalidBaseImagePlatform"],
    },
    {
      name: "lets the build fail of EXPOSE's words that are no ports",
      text: "FROM scratch\nEXPOSE 80/TCP 80: 80:/TCP\nEXPOSE /TCP 1:2/foo\n",
      expected: ["ExposeProtoCasing"],
    },
    { name: "reports MAINTAINER", text: "FROM scratch\nMAINTAINER x\n", expected: ["MaintainerDeprecated"] },
  ];
  for (const { name, text: own, options, expected } of cases) {
    it(name, () =>
      assert.deepEqual(
        checkDockerfile(parseDockerfile(own ?? text), options).map(({ rule }) => rule),
        expected,
      ),
    );
  }

  const faulty: readonly (readonly [line: string, expected: readonly string[]])[] = [
    ["MAINTAINER", ["MaintainerDeprecated"]],
    ["FROM a as B extra", ["FromAsCasing"]],
    ["from a AS B=", ["StageNameCasing", "FromAsCasing"]],
    ["FROM --x a as b\nFROM c as d", ["FromAsCasing"]],
    ["RUNN a\nMAINTAINER b", []],
  ];
  for (const [line, expected] of faulty) {
    it(`looks at the keywords of a line that does not parse: ${JSON.stringify(line)}`, () => {
      const dockerfile = parsePrefix(`FROM scratch\n${line}\n`);
      assert.ok(dockerfile);
      assert.deepEqual(
        checkDockerfile(dockerfile, { failure: { during: "parsing" } }).map(({ rule }) => rule),
        expected,
      );
    });
  }

  it("is done quickly with thousands of undefined variables", { timeout: 5000 }, () => {
    const lines = Array.from({ length: 3000 }, (_, index) => `ENV A${index}=$A${index} B=$X${index}`);
    const warnings = checkDockerfile(parseDockerfile(`FROM scratch\n${lines.join("\n")}`));
    assert.equal(warnings.length, 6000);
  });

  it("never throws on what parses", () => {
    const word = fc.constantFrom("$x", "${x", "a", "'", "/", "${a:?b}", "=", "b=$c", "80/TCP", "1:2", "..", "<<E");
    const keyword = fc.constantFrom("ENV", "ARG", "LABEL", "COPY", "ADD", "RUN --mount=type=$t,x", "WORKDIR", "EXPOSE", "CMD", "FROM", "USER", "VOLUME");
    const line = fc.tuple(keyword, fc.array(word, { maxLength: 4 })).map(([name, words]) => `${name} ${words.join(" ")}`);
    fc.assert(
      fc.property(fc.array(line, { maxLength: 6 }), (lines) => {
        const dockerfile = tryParse(`FROM scratch\n${lines.join("\n")}`);
        if (dockerfile !== undefined) checkDockerfile(dockerfile, { ignore: createIgnoreMatcher(["a"]) });
      }),
    );
  });

  it("fails when the directive makes warnings errors", () => {
    const dockerfile = parseDockerfile("# check=error=true\nFROM scratch as x\nMAINTAINER a\n");
    const message = "lint violation found for rules: FromAsCasing, MaintainerDeprecated";
    assert.throws(() => assertChecks(dockerfile, checkDockerfile(dockerfile)), { code: "CHECK_FAILED", message });
    assert.doesNotThrow(() => assertChecks(dockerfile, []));
  });
});
