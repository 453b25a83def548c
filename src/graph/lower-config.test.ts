import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isSlipwayError } from "../base/errors.ts";
import { isSignal } from "./lower-config.ts";
import { createdBy, lower } from "./test-lowering.ts";

/** Every row is a Dockerfile's fault: the code, Docker's words, the line that is marked. */
const faults: readonly (readonly [name: string, lines: string, message: RegExp, line: number])[] = [
  ["a port that is none", "EXPOSE abc", /^invalid containerPort: abc$/, 2],
  ["a protocol that is none", "EXPOSE 80/foo", /^invalid port: "80\/foo": invalid proto: foo$/, 2],
  ["a port beyond 65535", "EXPOSE 70000", /^invalid containerPort: 70000$/, 2],
  ["a range that runs backwards", "EXPOSE 20-10", /^invalid containerPort: 20-10$/, 2],
  ["a volume without a name", 'ENV A=1\nVOLUME [""]', /VOLUME specified can not be an empty string/, 3],
  ["a signal that is none", "STOPSIGNAL SIGFOO", /SIGFOO/, 2],
  ["a required variable", "ENV A=${N:?missing}", /N: missing/, 2],
  ["a device of RUN", "RUN --device=vendor.com/class=x true", /^device feature is only supported in Dockerfile frontend 1\.14\.0-labs or later$/, 2],
  ["a mode of COPY that is none", "COPY --chmod=abc a b", /^invalid syntax$/, 2],
  ["a checksum of ADD that is none", "ADD --checksum=sha256:0 https://example.com/a b", /^invalid checksum digest length$/, 2],
];
for (const [name, lines, message, line] of faults) {
  test(`refuses ${name}`, () => {
    assert.throws(
      () => lower(`FROM busybox\n${lines}\n`),
      (error) => {
        assert.ok(isSlipwayError(error));
        assert.equal(error.kind, "invalid_argument");
        assert.match(error.message, message);
        assert.deepEqual(error.details["lines"], { start: line, end: line });
        return true;
      },
    );
  });
}

test("ENV: an existing name keeps its place, values of one line see what was before it", () => {
  const { image } = lower("FROM scratch\nENV A=1 B=2\nENV A=3 C=$A\n");
  assert.deepEqual(image.config.Env?.slice(1), ["A=3", "B=2", "C=1"]);
});

describe("ENTRYPOINT and an inherited CMD", () => {
  const rows: readonly (readonly [string, string, readonly string[] | undefined])[] = [
    ["drops it", 'ENTRYPOINT ["e"]', undefined],
    ["keeps one that this stage set before", 'CMD ["c"]\nENTRYPOINT ["e"]', ["c"]],
    ["keeps one that this stage sets after", 'ENTRYPOINT ["e"]\nCMD ["c"]', ["c"]],
    ["a stage on a stage inherits", 'CMD ["c"]\nFROM s\nENTRYPOINT ["e"]', undefined],
  ];
  for (const [name, lines, cmd] of rows) test(name, () => assert.deepEqual(lower(`FROM busybox AS s\n${lines}\n`).image.config.Cmd, cmd));
});

test("SHELL is what later shell forms use, and only those", () => {
  const { image } = lower('FROM busybox\nCMD one\nSHELL ["/bin/ash","-ec"]\nENTRYPOINT two\n');
  assert.deepEqual(
    [image.config.Cmd, image.config.Entrypoint],
    [
      ["/bin/sh", "-c", "one"],
      ["/bin/ash", "-ec", "two"],
    ],
  );
});

test("labels of the command line come without a history line and win", () => {
  const lowered = lower("FROM scratch\nLABEL a=file b=file\n", { labels: { a: "line" } });
  assert.deepEqual(lowered.image.config.Labels, { a: "line", b: "file" });
  assert.deepEqual(createdBy(lowered), ["LABEL a=file b=file"]);
});

describe("ARG", () => {
  const rows: readonly (readonly [name: string, dockerfile: string, buildArgs: Readonly<Record<string, string>>, history: readonly string[]])[] = [
    ["a default", "FROM scratch\nARG A=1", {}, ["ARG A=1"]],
    ["a given value wins", "FROM scratch\nARG A=1", { A: "2" }, ["ARG A=2"]],
    ["without a value", "FROM scratch\nARG A", {}, ["ARG A"]],
    ["without a value, given", "FROM scratch\nARG A", { A: "2" }, ["ARG A=2"]],
    ["not declared: not seen", "FROM scratch\nENV E=[$A]", { A: "2" }, ["ENV E=[]"]],
    ["global: seen only where declared again", "ARG A=g\nFROM scratch\nENV E=[$A]\nARG A\nENV F=[$A]", {}, ["ENV E=[]", "ARG A=g", "ENV F=[g]"]],
    ["global default is overridden by the stage's", "ARG A=g\nFROM scratch\nARG A=s", {}, ["ARG A=s"]],
    ["globals see earlier globals", "ARG A=1\nARG B=$A-2\nFROM scratch\nARG B", {}, ["ARG B=1-2"]],
    ["of ENV and ARG the later one counts", "FROM scratch\nENV A=env\nARG A=arg\nENV E=$A", {}, ["ENV A=env", "ARG A=arg", "ENV E=arg"]],
    ["stages on stages see the ARGs below", "FROM scratch AS s\nARG A=1\nFROM s\nENV E=$A", {}, ["ARG A=1", "ENV E=1"]],
    ["other stages do not", "FROM scratch AS s\nARG A=1\nFROM scratch\nENV E=[$A]", {}, ["ENV E=[]"]],
    ["the platform, when declared", "FROM scratch\nENV E=[$TARGETARCH]\nARG TARGETARCH", {}, ["ENV E=[]", "ARG TARGETARCH=amd64"]],
  ];
  for (const [name, dockerfile, buildArgs, history] of rows) test(name, () => assert.deepEqual(createdBy(lower(dockerfile, { buildArgs })), history));
});

test("signals by name, number and offset", () => {
  const rows: readonly (readonly [string, boolean])[] = [
    ["SIGTERM", true],
    ["term", true],
    ["9", true],
    ["SIGRTMIN+3", true],
    ["RTMAX-15", true],
    ["0", false],
    ["65", true],
    ["-1", true],
    ["99999999999999999999", false],
    ["SIGFOO", false],
    ["RTMIN+16", false],
    ["", false],
  ];
  assert.deepEqual(
    rows.filter(([text, want]) => isSignal(text) !== want),
    [],
  );
});
