/** What a build came to, in a form that does not depend on when, where and by whom it was built; and how two are compared. */
import { afterAllInputs, anyTime, isBuildTime, withAnyTime } from "./build-time.ts";

export type Outcome =
  | {
      /** the config with times of the build as "now" and layers as their number */
      readonly config: string;
      readonly tree: Readonly<Record<string, string>>;
      /** what containers of the image did, when the case runs some */
      readonly runs?: readonly RunOutcome[];
    }
  | {
      /** what follows `failed to solve:` */
      readonly error: string;
      /** the lines of the Dockerfile that are named */
      readonly at: readonly string[];
    };

export interface RunOutcome {
  /** of the command line */
  readonly words: string;
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The config's text, field order kept: times of the build become "now", diffIDs their count. */
export function normalizeConfig(config: string): string {
  const timed = config.replace(/"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"/g, (text) => {
    return isBuildTime(Date.parse(text.slice(1, -1)) / 1000, afterAllInputs) ? '"now"' : text;
  });
  return timed.replace(/"diff_ids":\[[^\]]*\]/, (text) => `"diff_ids":${text.split('"sha256:').length - 1}`);
}

/** What we say of a Dockerfile beyond the fault that Docker stops at. */
const furtherFaults = /^\S*Dockerfile\S*:\d+\n-+\n(?: .*\n)+-+\nalso: .*\n\n/gm;

/** From the program's standard error; `replacements` take what differs from machine to machine out of it. */
export function failureFrom(stderr: string, replacements: readonly (readonly [find: RegExp | string, by: string])[]): Outcome {
  const clean = replacements.reduce((text, [find, by]) => text.replaceAll(find, by), stderr).replace(furtherFaults, "");
  // Docker may show a place twice
  const at = [...new Set([...clean.matchAll(/^(\S*Dockerfile\S*:\d+)$/gm)].map(([line]) => line))];
  const error = /^ERROR: (?:failed to build: )?(?:failed to solve: )?(?<text>[\s\S]*)$/m.exec(clean)?.groups?.["text"] ?? clean;
  return { error: error.replace(/\nHint: [\s\S]*/, "").trim(), at };
}

/** What the build's own internals put into messages. */
export const internalNames: readonly (readonly [RegExp, string])[] = [
  [/checksum of ref \S+:/g, "checksum of ref REF:"],
  [/read \S*\/buildkit-mount\d+\//g, "read "],
  [/\b(?:docker buildx|slipway) build\b/g, "PROGRAM build"],
  // which of a manifest's two requests comes first
  [/failed to do request: (?:Head|Get) /g, "failed to do request: "],
  [/failed to compute cache key: failed to calculate checksum/g, "failed to calculate checksum"],
  [/\/var\/lib\/docker\/\S*?\/cachemounts\/buildkit\d+/g, ""],
];

/** Lines that tell the differences, none when the outcomes agree. A time that Docker took from its clock agrees with any. */
export function differences(actual: Outcome, expected: Outcome): readonly string[] {
  if ("error" in expected) {
    if (!("error" in actual)) return [`built, but should fail: ${expected.error}`];
    const at = [...new Set(expected.at)];
    // further faults are shown before the one that Docker shows
    const last = at.length === 0 ? actual.at : actual.at.slice(-at.length);
    return [...unequal("error", actual.error, expected.error), ...unequal("at", last.join(" "), at.join(" "))];
  }
  if ("error" in actual) return [`failed, but should build: ${actual.error}`];
  const paths = [...new Set([...Object.keys(expected.tree), ...Object.keys(actual.tree)])].toSorted();
  return [
    ...unequal("config", actual.config, expected.config),
    ...paths.flatMap((path) => unequal(`/${path}`, withTimeOf(actual.tree[path], expected.tree[path]), expected.tree[path])),
    ...(expected.runs ?? []).flatMap((run, at) => unequalRun(run, actual.runs?.[at])),
  ];
}

function unequalRun(expected: RunOutcome, actual: RunOutcome | undefined): readonly string[] {
  return (["words", "code", "stdout", "stderr"] as const).flatMap((part) =>
    unequal(`run ${expected.words}: ${part}`, JSON.stringify(actual?.[part]), JSON.stringify(expected[part])),
  );
}

/** Puts the any-time mark where the expectation has it. */
function withTimeOf(actual: string | undefined, expected: string | undefined): string | undefined {
  if (actual === undefined || expected?.split(" ")[3] !== anyTime) return actual;
  return withAnyTime(actual);
}

function unequal(what: string, actual: string | undefined, expected: string | undefined): readonly string[] {
  if (actual === expected) return [];
  const [got, want] = withoutCommonEnds(actual ?? "nothing", expected ?? "nothing");
  return [`${what}\n      got  ${got}\n      want ${want}`];
}

/** Long texts lose what they share, but for some characters around the difference. */
function withoutCommonEnds(a: string, b: string): readonly [string, string] {
  let start = 0;
  while (start < a.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const [from, rest] = [Math.max(0, start - 60), Math.max(0, end - 60)];
  const cut = (text: string): string => `${from > 0 ? "…" : ""}${text.slice(from, text.length - rest)}${rest > 0 ? "…" : ""}`;
  return [cut(a), cut(b)];
}
