import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { asSlipwayError } from "../../base/errors.ts";
import type { ProgressEvent } from "../../base/progress.ts";
import type { Lines } from "../api.ts";
import { openTestStore } from "../images/test-images.ts";
import { buildImage, type BuildSurroundings } from "./build-image.ts";
import { checkBuild, outlineBuild, targetsOfBuild } from "./calls.ts";

interface Recorded {
  readonly name: string;
  readonly dockerfile: string;
  readonly ignore?: string;
  readonly args?: Readonly<Record<string, string>>;
  readonly target?: string;
  readonly check: unknown;
  readonly outline: unknown;
  readonly targets: unknown;
}

const recorded = JSON.parse(readFileSync(new URL("testdata/calls.json", import.meta.url), "utf8")) as readonly Recorded[];

const calls = ["check", "outline", "targets"] as const;

/** Where we answer otherwise, and why. */
const differences: Readonly<Record<string, { readonly calls: readonly (typeof calls)[number][]; readonly reason: string }>> = {
  "ARG used before": { calls: ["outline"], reason: "Docker's order of ARGs of one line is random" },
  "experimental with exclusions": { calls: ["check"], reason: "as later versions of BuildKit, which know that `!` lines may bring it back" },
  "experimental globs": { calls: ["check"], reason: "as later versions of BuildKit, which clean the path" },
  "directive of unknown option": { calls: ["check"], reason: "the line is named, whatever is asked" },
  "directive without value": { calls: ["check"], reason: "the line is named, whatever is asked" },
  "directive twice": { calls: ["check"], reason: "the second directive is at fault" },
  "empty file": { calls: ["targets"], reason: "one message for all calls" },
  "only args": { calls: ["targets"], reason: "a file without stages has no targets to list" },
  "bad escape directive": { calls: ["check"], reason: "the line is named" },
};

const directory = mkdtempSync(join(tmpdir(), "slipway-calls-"));
const opened = openTestStore();
after(() => {
  opened[Symbol.dispose]();
  rmSync(directory, { recursive: true });
});
const surroundings: BuildSurroundings = {
  store: opened.store,
  client: async () => {
    throw new Error("no registry is to be asked");
  },
  onProgress: () => {},
};

function pair(lines: Lines): readonly [number, number] {
  return [lines.start, lines.end];
}

/** Members without value are left out, as in the recording. */
function compact(value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const isEmpty = (member: unknown): boolean => member === undefined || member === "" || member === false || (Array.isArray(member) && member.length === 0);
  return Object.fromEntries(Object.entries(value).filter(([, member]) => !isEmpty(member)));
}

async function answer(call: () => Promise<unknown>): Promise<unknown> {
  try {
    return await call();
  } catch (error) {
    return { fails: asSlipwayError(error).message };
  }
}

for (const { name, dockerfile, ignore, args, target, ...expected } of recorded) {
  describe(name, () => {
    const path = join(directory, `${recorded.findIndex((entry) => entry.name === name)}.Dockerfile`);
    writeFileSync(path, dockerfile);
    if (ignore !== undefined) writeFileSync(`${path}.dockerignore`, ignore);
    const options = {
      context: { kind: "directory", path: directory },
      dockerfile: { kind: "path", path },
      buildArgs: args ?? {},
      target: target ?? "",
    } as const;
    const asked: Readonly<Record<(typeof calls)[number], () => Promise<unknown>>> = {
      check: async () => {
        const { warnings, error } = await checkBuild(options, surroundings);
        return {
          warnings: warnings.filter(({ isOwn }) => !isOwn).map(({ rule, message, lines }) => [rule, message, ...(lines === undefined ? [] : pair(lines))]),
          ...(error === undefined ? {} : { error: { message: error.message, ...(error.lines === undefined ? {} : { lines: pair(error.lines) }) } }),
        };
      },
      outline: async () => {
        const outline = await outlineBuild(options, surroundings);
        const mounts = outline.secrets.map(({ lines, ...mount }) => compact({ ...mount, lines: pair(lines) }));
        const ssh = outline.ssh.map(({ lines, ...mount }) => compact({ ...mount, lines: pair(lines) }));
        const outlined = outline.args.map(({ lines, ...arg }) => compact({ ...arg, lines: pair(lines) }));
        return compact({ name: outline.name, description: outline.description, args: outlined, secrets: mounts, ssh });
      },
      targets: async () => {
        const { targets } = await targetsOfBuild(options, surroundings);
        return { targets: targets.map(({ lines, isDefault, ...stage }) => compact({ ...stage, default: isDefault, lines: pair(lines) })) };
      },
    };
    for (const call of calls) {
      const difference = differences[name]?.calls.includes(call) === true ? differences[name].reason : undefined;
      it(difference === undefined ? `${call} as in Docker` : `${call} unlike Docker: ${difference}`, async () => {
        const compare: (given: unknown, wanted: unknown) => void = difference === undefined ? assert.deepEqual : assert.notDeepEqual;
        compare(await answer(asked[call]), expected[call]);
      });
    }
  });
}

describe("a build that fails warns of what stands before the failure", () => {
  const cases = [
    {
      name: "in parsing",
      dockerfile: "FROM scratch AS Foo\nRUNN x\nFROM scratch AS Bar\n",
      warnings: ["StageNameCasing: Stage name 'Foo' should be lowercase (line 1)"],
    },
    {
      name: "in lowering",
      dockerfile: "FROM scratch\nLABEL a=$b\nSTOPSIGNAL NOPE\nLABEL c=$d\n",
      warnings: ["UndefinedVar: Usage of undefined variable '$b' (line 2)"],
    },
    {
      name: "in FROM's expansion",
      dockerfile: "FROM a${x:?}b\nFROM c$y\n",
      warnings: ["UndefinedArgInFrom: FROM argument 'x' is not declared (line 1)"],
    },
    {
      name: "in an image's name, when every FROM has been read",
      dockerfile: "FROM :a\nFROM b${x:-y}\n",
      warnings: [
        "InvalidDefaultArgInFrom: Default value for ARG :a results in empty or invalid base image name (line 1)",
        "UndefinedArgInFrom: FROM argument 'x' is not declared (line 2)",
      ],
    },
    { name: "in EXPOSE's first port that is none", dockerfile: "FROM scratch\nEXPOSE 1000-1001/udp *80/tcp 8080:81\n", warnings: [] },
    {
      name: "in a trigger",
      dockerfile: "FROM scratch AS a\nONBUILD ENV A=$b\nONBUILD ENV C=${c?no}\nONBUILD ENV D=$d\nFROM a\nENV E=$e\n",
      warnings: ["b", "c"].map((name) => `UndefinedVar: Usage of undefined variable '$${name}'${name === "c" ? " (did you mean $A?)" : ""} (line 5)`),
    },
    { name: "in FROM's platform", dockerfile: "FROM --platform=foo scratch\n", warnings: [] },
    {
      name: "in FROM's digest",
      dockerfile: "FROM a@md5:0123456789abcdef0123456789abcdef\n",
      warnings: ["InvalidDefaultArgInFrom: Default value for ARG a@md5:0123456789abcdef0123456789abcdef results in empty or invalid base image name (line 1)"],
    },
    {
      name: "once",
      dockerfile: "FROM scratch\nLABEL a=$b b=$b\nLABEL c=$b\nSTOPSIGNAL NOPE\n",
      warnings: [2, 3].map((line) => `UndefinedVar: Usage of undefined variable '$b' (line ${line})`),
    },
  ];
  for (const { name, dockerfile, warnings } of cases) {
    it(name, async () => {
      const path = join(directory, "failing.Dockerfile");
      writeFileSync(path, dockerfile);
      const events: ProgressEvent[] = [];
      const options = { context: { kind: "directory", path: directory }, dockerfile: { kind: "path", path } } as const;
      await assert.rejects(buildImage(options, { ...surroundings, onProgress: (event) => events.push(event) }));
      assert.deepEqual(
        events.flatMap((event) => (event.type === "warning" ? event.message : [])),
        warnings,
      );
    });
  }
});
