import assert from "node:assert/strict";
import { test } from "node:test";
import { createdBy, dump, lower } from "./test-lowering.ts";

const above = `ARG BUILDKIT_SBOM_SCAN_STAGE=build,stage-1
FROM busybox AS build
RUN echo b > /b
FROM busybox
RUN echo o > /o
FROM busybox AS unused
ARG BUILDKIT_SBOM_SCAN_STAGE=true
FROM busybox AS final
ARG BUILDKIT_SBOM_SCAN_CONTEXT=final
COPY --from=build /b /b
COPY --from=1 /o /o
`;
const within = `FROM busybox AS build
RUN echo b > /b
FROM busybox AS other
ARG BUILDKIT_SBOM_SCAN_STAGE=build,x
RUN echo o > /o
FROM busybox
ARG BUILDKIT_SBOM_SCAN_CONTEXT=final
ARG BUILDKIT_SBOM_SCAN_STAGE
COPY --from=build /b /b
COPY --from=other /o /o
`;
const inherited = `ARG BUILDKIT_SBOM_SCAN_CONTEXT=true
FROM busybox AS build
ARG BUILDKIT_SBOM_SCAN_STAGE=true
FROM build AS child
FROM busybox
COPY --from=build /b /b
COPY --from=child /c /c
`;

/** What Docker's scanner was given for each. */
const cases: readonly {
  readonly name: string;
  readonly dockerfile: string;
  readonly buildArgs?: Readonly<Record<string, string>>;
  readonly want: readonly string[];
}[] = [
  { name: "names of stages above all stages", dockerfile: above, want: ["build", "stage-1", "context"] },
  { name: "a build arg in their place", dockerfile: above, buildArgs: { BUILDKIT_SBOM_SCAN_STAGE: "stage-1" }, want: ["stage-1", "context"] },
  { name: "in a stage only its own name counts", dockerfile: within, want: [] },
  { name: "a build arg reaches the stages that declare it", dockerfile: within, buildArgs: { BUILDKIT_SBOM_SCAN_STAGE: "true" }, want: ["other"] },
  { name: "the context, for the result's stage", dockerfile: within, buildArgs: { BUILDKIT_SBOM_SCAN_CONTEXT: "1" }, want: ["context"] },
  { name: "a stage on another has what that declares", dockerfile: inherited, want: ["build", "child", "context"] },
  { name: "a build arg that nobody declares", dockerfile: "FROM busybox\n", buildArgs: { BUILDKIT_SBOM_SCAN_CONTEXT: "true" }, want: [] },
];
for (const { name, dockerfile, buildArgs = {}, want } of cases) {
  test(`what is scanned besides the result: ${name}`, () => {
    assert.deepEqual(
      lower(dockerfile, { buildArgs }).scanned.map((one) => one.name),
      want,
    );
  });
}

test("the context is scanned as a layer of all that is not ignored", () => {
  const [context] = lower("FROM busybox\nARG BUILDKIT_SBOM_SCAN_CONTEXT=true\n").scanned;
  assert.match(dump(context?.root).at(-1) ?? "", /^1: .* <0> file .*"sources":\["\/"\],"destination":"\/"/);
});

test("commands and words do not see them, and the history names them", () => {
  const lowered = lower(
    "FROM busybox\nARG BUILDKIT_SBOM_SCAN_STAGE=true\nARG BUILDKIT_SBOM_SCAN_CONTEXT\nARG OTHER=1\nENV A=x${BUILDKIT_SBOM_SCAN_STAGE}y\nRUN env\n",
  );
  assert.deepEqual(createdBy(lowered), [
    "ARG BUILDKIT_SBOM_SCAN_STAGE=true",
    "ARG BUILDKIT_SBOM_SCAN_CONTEXT",
    "ARG OTHER=1",
    "ENV A=xy",
    "RUN |3 BUILDKIT_SBOM_SCAN_STAGE=true BUILDKIT_SBOM_SCAN_CONTEXT= OTHER=1 /bin/sh -c env # buildkit",
  ]);
  const { op } = lowered.root ?? {};
  assert.deepEqual(op?.type === "exec" ? op.env.filter((entry) => entry.includes("SBOM")) : undefined, []);
});
