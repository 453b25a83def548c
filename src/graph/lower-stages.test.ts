import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../base/test-chance.ts";
import { isSlipwayError, SlipwayError } from "../base/errors.ts";
import { parseDockerfile } from "../dockerfile/parse.ts";
import type { NamedContext } from "./lowering.ts";
import { amd64, createBase, createdBy, dump, lower, lowering, needs, type TestOptions } from "./test-lowering.ts";
import { listVertices, type Vertex } from "./vertex.ts";

interface Fault {
  readonly name: string;
  readonly dockerfile: string;
  readonly options?: TestOptions;
  readonly code: string;
  readonly message: RegExp;
  readonly line?: number;
}

const faults: readonly Fault[] = [
  {
    name: "stages that wait for each other",
    dockerfile: "FROM busybox AS a\nCOPY --from=b /x /x\nFROM a AS b\nCOPY --from=a /x /x\n",
    code: "STAGE_CYCLE",
    message: /^circular dependency detected on stage: a$/,
    line: 2,
  },
  {
    name: "a stage that comes later",
    dockerfile: "FROM busybox\nCOPY --from=b /x /x\nFROM busybox AS b\nFROM busybox\nCOPY --from=0 / /\n",
    code: "STAGE_ORDER",
    message: /^cannot copy from stage "b", it needs to be defined before current stage "stage-0"$/,
    line: 2,
  },
  {
    name: "a stage that copies from itself",
    dockerfile: "FROM busybox AS a\nCOPY --from=a /x /x\n",
    code: "STAGE_CYCLE",
    message: /^circular dependency detected on stage: a$/,
    line: 2,
  },
  {
    name: "a stage that copies from itself twice",
    dockerfile: "FROM busybox AS a\nCOPY --from=a /x /x\nCOPY --from=a /y /y\nRUN x\n",
    code: "STAGE_CYCLE",
    message: /^circular dependency detected on stage: a$/,
    line: 3,
  },
  {
    name: "a stage that copies from its own number",
    dockerfile: "FROM busybox\nCOPY --from=0 /x /x\n",
    code: "STAGE_CYCLE",
    message: /^circular dependency detected on stage: stage-0$/,
    line: 2,
  },
  {
    name: "a stage number that comes later",
    dockerfile: "FROM busybox\nCOPY --from=1 /x /x\nFROM busybox\nFROM busybox\nCOPY --from=0 / /\n",
    code: "STAGE_ORDER",
    message: /^cannot copy from stage "1", it needs to be defined before current stage "stage-0"$/,
    line: 2,
  },
  {
    name: "a stage number that is not there",
    dockerfile: "FROM busybox\nCOPY --from=5 /x /x\n",
    code: "INVALID_STAGE_INDEX",
    message: /^invalid stage index 5$/,
  },
  {
    name: "a stage number below the first",
    dockerfile: "FROM busybox\nCOPY --from=-1 /x /x\n",
    code: "INVALID_STAGE_INDEX",
    message: /^invalid stage index -1$/,
  },
  {
    name: "a target that is not there",
    dockerfile: "FROM busybox AS a\n",
    options: { target: "zz" },
    code: "TARGET_NOT_FOUND",
    message: /^target stage "zz" could not be found \(did you mean a\?\)$/,
  },
  {
    name: "a target by number",
    dockerfile: "FROM busybox\n",
    options: { target: "0" },
    code: "TARGET_NOT_FOUND",
    message: /^target stage "0" could not be found$/,
  },
  { name: "a base without a name", dockerfile: "ARG X\nFROM $X\n", code: "DOCKERFILE_PARSE", message: /^base name \(\$X\) should not be blank$/, line: 2 },
  {
    name: "a base that is no reference",
    dockerfile: "FROM UPPER/Case:x\n",
    code: "DOCKERFILE_PARSE",
    message: /^failed to parse stage name "UPPER\/Case:x": invalid reference format: repository name \(Case\) must be lowercase$/,
    line: 1,
  },
  {
    name: "a variable in --from",
    dockerfile: "FROM busybox AS a\nFROM busybox\nARG S=a\nCOPY --from=$S /x /x\n",
    code: "DOCKERFILE_PARSE",
    message: /^variable expansion is not supported for --from/,
  },
  {
    name: "a platform that is none",
    dockerfile: "FROM --platform=a/b/c/d busybox\n",
    code: "INVALID_PLATFORM",
    message: /failed to parse platform a\/b\/c\/d/,
    line: 1,
  },
  {
    name: "an epoch that is no number",
    dockerfile: "FROM scratch\n",
    options: { buildArgs: { SOURCE_DATE_EPOCH: "abc" } },
    code: "INVALID_EPOCH",
    message: /^invalid source-date-epoch: strconv.ParseInt: parsing "abc": invalid syntax/,
  },
];
describe("refuses", () => {
  for (const { name, dockerfile, options, code, message, line } of faults) {
    test(name, () => {
      assert.throws(
        () => lowering(dockerfile, options),
        (error) => {
          assert.ok(error instanceof SlipwayError);
          assert.equal(error.code, code);
          assert.match(error.message, message);
          const lines = error.details["lines"] as { readonly start: number } | undefined;
          assert.equal(lines?.start, line);
          return true;
        },
      );
    });
  }
});

describe("stages", () => {
  test("what the target does not need is not lowered", () => {
    const { root, reachable } = lower("FROM busybox AS bad\nRUN false\nFROM busybox AS good\nRUN true\nFROM nowhere:1\nRUN x\n", { target: "good" });
    assert.deepEqual(
      dump(root).map((line) => line.split(" <")[0]),
      ["0: [good 1/2] FROM docker.io/library/busybox:latest", "1: [good 2/2] RUN true"],
    );
    assert.deepEqual([...reachable], [1]);
  });

  test("of two stages with one name the last counts, for the target too; names ignore case", () => {
    const dockerfile = "FROM busybox AS A\nRUN one\nFROM busybox AS a\nRUN two\nFROM scratch\nCOPY --from=A /x /x\n";
    assert.match(dump(lower(dockerfile).root).join("\n"), /RUN two/);
    assert.doesNotMatch(dump(lower(dockerfile).root).join("\n"), /RUN one/);
    assert.match(dump(lower(dockerfile, { target: "A" }).root).at(-1) ?? "", /RUN two/);
  });

  test("equal stages are one", () => {
    const { root } = lower("FROM busybox AS a\nRUN x\nFROM busybox AS b\nRUN x\nFROM scratch\nCOPY --from=a /p /\nCOPY --from=b /q /\n");
    assert.ok(root !== undefined);
    assert.equal(listVertices([root]).filter(({ op }) => op.type === "exec").length, 1);
  });

  test("a stage on a stage continues its history and its config", () => {
    const lowered = lower("FROM busybox AS a\nENV A=1\nRUN x\nMAINTAINER me\nFROM a\nLABEL l=1\n");
    assert.deepEqual(createdBy(lowered), ["ENV A=1", "RUN /bin/sh -c x # buildkit", "MAINTAINER me", "LABEL l=1"]);
    assert.equal(lowered.image.author, "me");
    assert.equal(lowered.image.baseHistory.length, 1);
  });

  test("a stage called scratch stands before the empty base", () => {
    assert.match(dump(lower("FROM busybox AS scratch\nRUN x\nFROM scratch\nRUN y\n").root)[2] ?? "", /RUN y/);
  });

  test("FROM scratch alone has no root, the default PATH and the directory /", () => {
    const { root, image, baseChain } = lower("FROM scratch\n");
    assert.deepEqual(
      [root, image.config, baseChain, image.history],
      [undefined, { Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"], WorkingDir: "/" }, [], []],
    );
  });

  test("--no-cache-filter names stages", () => {
    const { root } = lower("FROM busybox AS a\nRUN x\nFROM busybox\nCOPY --from=a /x /\n", { noCache: new Set(["a"]) });
    assert.ok(root !== undefined);
    assert.deepEqual(
      listVertices([root])
        .filter(({ metadata }) => metadata.ignoreCache)
        .map(({ metadata }) => metadata.description),
      ["RUN x"],
    );
  });
});

describe("bases that are not resolved yet", () => {
  const rows: readonly (readonly [name: string, dockerfile: string, wanted: readonly string[]])[] = [
    [
      "all of one round, each once",
      "FROM a:1 AS x\nFROM b\nCOPY --from=c /p /\nCOPY --from=c /q /\nCOPY --from=x / /\n",
      ["docker.io/library/c:latest", "docker.io/library/a:1", "docker.io/library/b:latest"],
    ],
    ["none that is not needed", "FROM a AS x\nFROM b\n", ["docker.io/library/b:latest"]],
    ["the name with its variables", "ARG R=reg.example:5000/a\nARG T=2\nFROM $R:${T}\n", ["reg.example:5000/a:2"]],
    ["a digest stays", `FROM a@sha256:${"a".repeat(64)}\n`, [`docker.io/library/a@sha256:${"a".repeat(64)}`]],
  ];
  for (const [name, dockerfile, wanted] of rows)
    test(name, () =>
      assert.deepEqual(
        needs(dockerfile).map(({ reference }) => reference),
        wanted,
      ),
    );

  test("for the stage's platform, at the line that asks", () => {
    assert.deepEqual(
      needs("FROM a\nCOPY --from=b / /\nCOPY --from=b / /\n").map(({ lines }) => lines?.start),
      [2, 1],
    );
    assert.deepEqual(
      needs("FROM a AS t\nCOPY --from=x / /\nFROM b AS x\n", { target: "t" }).map(({ reference }) => reference),
      ["docker.io/library/a:latest"],
      "before what its COPY has wrong",
    );
    const [need] = needs("# c\nFROM --platform=linux/arm64 a\n");
    assert.deepEqual(
      [need?.platform, need?.lines],
      [
        { os: "linux", architecture: "arm64" },
        { start: 2, end: 2 },
      ],
    );
  });
});

describe("named contexts", () => {
  const contexts = (name: string, context: NamedContext): TestOptions => ({ namedContexts: new Map([[name, context]]) });

  test("an image stands for a base's name", () => {
    assert.deepEqual(
      needs("FROM busybox\n", contexts("busybox", { kind: "image", reference: "other:2" })).map(({ reference }) => reference),
      ["docker.io/library/other:2"],
    );
  });

  test("a directory stands for a stage", () => {
    assert.deepEqual(
      dump(lower("FROM busybox AS src\nFROM scratch\nCOPY --from=src /a /b\n", contexts("src", { kind: "local" })).root).map((line) => line.split(" <")[0]),
      ["0: [context src] load from client", "1: [stage-1 1/1] COPY --from=src /a /b"],
    );
  });

  test("a directory as a base is the stage's first layer", () => {
    assert.match(dump(lower("FROM src\nRUN x\n", contexts("src", { kind: "local" })).root)[1] ?? "", /\[context src\] as a stage <0> file/);
  });
});

describe("ONBUILD", () => {
  test("triggers run first, under their own name, and are gone afterwards", () => {
    const images = [createBase("docker.io/library/p:latest", { OnBuild: ["ARG Q=1", "RUN echo $Q", "COPY a /b"] })];
    const lowered = lower("FROM p\nCMD x\n", { images });
    assert.deepEqual(createdBy(lowered), ["ARG Q=1", "RUN |1 Q=1 /bin/sh -c echo $Q # buildkit", "COPY a /b # buildkit", 'CMD ["/bin/sh" "-c" "x"]']);
    assert.equal(lowered.image.config.OnBuild, undefined);
  });

  test("of a stage in the same file too", () => {
    assert.deepEqual(createdBy(lower("FROM busybox AS p\nONBUILD RUN x\nFROM p\nRUN y\n")), ["RUN /bin/sh -c x # buildkit", "RUN /bin/sh -c y # buildkit"]);
  });

  test("leave no history, and are kept for whoever builds on the image", () => {
    const { image } = lower("FROM busybox\nONBUILD RUN x\n");
    assert.deepEqual([image.config.OnBuild, image.history], [["RUN x"], []]);
  });

  test("hostile triggers fail at FROM", () => {
    for (const trigger of ["FROM x", "NONSENSE", "RUN a\nRUN b", ""]) {
      assert.throws(
        () => lower("FROM p\n", { images: [createBase("docker.io/library/p:latest", { OnBuild: [trigger] })] }),
        (error) => isSlipwayError(error, "DOCKERFILE_PARSE"),
        trigger,
      );
    }
  });
});

test("platform variables follow the build, not the stage", () => {
  const targetPlatform = { os: "linux", architecture: "arm", variant: "v7" };
  const lines = "ARG TARGETPLATFORM\nARG TARGETVARIANT\nARG BUILDPLATFORM\nARG TARGETSTAGE\n";
  const lowered = lower(`FROM scratch AS fin\n${lines}`, { targetPlatform, buildPlatform: amd64, target: "fin" });
  assert.deepEqual(createdBy(lowered), ["ARG TARGETPLATFORM=linux/arm/v7", "ARG TARGETVARIANT=v7", "ARG BUILDPLATFORM=linux/amd64", "ARG TARGETSTAGE=fin"]);
  assert.deepEqual(lowered.image.platform, targetPlatform);
});

test("SOURCE_DATE_EPOCH is on what the file operations make", () => {
  const lowered = lower("FROM scratch\nWORKDIR /a\nCOPY <<E /f\nx\nE\n", { buildArgs: { SOURCE_DATE_EPOCH: "1700000000" } });
  assert.equal(lowered.epoch, 1_700_000_000);
  assert.deepEqual(
    listVertices(lowered.root === undefined ? [] : [lowered.root]).map(({ op }) => (op.type === "file" ? op.epoch : undefined)),
    [1_700_000_000, 1_700_000_000],
  );
});

test("whatever the text, lowering fails only with errors of its own", () => {
  const word = fc.constantFrom(
    "a",
    "/x",
    "$A",
    "${A:-b}",
    "${A",
    "--from=0",
    "--from=s0",
    "--from=$A",
    "--chown=1:x",
    "--chmod=9",
    "--mount=type=cache,target=/c",
    "--mount=from=s0",
    "<<E",
    '["a","b"]',
    "80",
    "80/udp",
    "1-0",
    "A=1",
    "A=$A",
    "..",
    "*",
    "#",
    '"',
    "--link",
    "http://h/f",
    "git@h:r.git",
    "--checksum=x",
    "--interval=1s",
    "NONE",
    "CMD",
  );
  const keyword = fc.constantFrom(
    "FROM",
    "RUN",
    "COPY",
    "ADD",
    "ENV",
    "ARG",
    "LABEL",
    "WORKDIR",
    "USER",
    "EXPOSE",
    "VOLUME",
    "CMD",
    "ENTRYPOINT",
    "HEALTHCHECK",
    "SHELL",
    "STOPSIGNAL",
    "ONBUILD",
    "MAINTAINER",
  );
  const line = fc.tuple(keyword, fc.array(word, { maxLength: 4 })).map(([name, words]) => `${name} ${words.join(" ")}`);
  const stage = fc.tuple(fc.constantFrom("scratch", "busybox", "s0", "s1", "$A"), fc.array(line, { maxLength: 6 }));
  const text = fc
    .array(stage, { minLength: 1, maxLength: 4 })
    .map((stages) => stages.map(([base, lines], index) => `FROM ${base} AS s${index}\n${lines.join("\n")}`).join("\n"));
  fc.assert(
    fc.property(text, (dockerfile) => {
      try {
        parseDockerfile(dockerfile);
      } catch {
        return;
      }
      try {
        lowering(dockerfile, { buildArgs: { A: "v" } });
      } catch (error) {
        assert.ok(error instanceof SlipwayError, String(error));
        assert.notEqual(error.kind, "internal", error.message);
      }
    }),
    { numRuns: 300 },
  );
});

test("a variable that is set again goes to the end of what commands see; a stage's own variables come again behind ARGs of the stage below", () => {
  const dockerfile = "FROM busybox AS one\nENV A=1 B=2\nARG C=3\nENV A=4\nARG B=5\nRUN one\nFROM one\nRUN two\n";
  const environments = listVertices([lower(dockerfile).root as Vertex]).flatMap(({ op }) =>
    op.type === "exec" ? [op.env.map((entry) => entry.replace(/^PATH=.*/, "PATH"))] : [],
  );
  assert.deepEqual(environments, [
    ["PATH", "C=3", "A=4", "B=5"],
    ["C=3", "PATH", "A=4", "B=2"],
  ]);
});
