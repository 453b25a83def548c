import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseDockerfile } from "./parse.ts";
import { formatStepName } from "./step-name.ts";

// each name was seen in `docker build --progress=plain`
describe("formatStepName", () => {
  const variables = new Map([
    ["X", "foo"],
    ["A", "1"],
    ["Y", "a b"],
  ]);
  const cases = [
    { text: `COPY "a" /d$X`, name: "COPY a /dfoo" },
    { text: "COPY   a    /e${X}", name: "COPY   a    /efoo" },
    { text: `COPY ["<<EOF", "/x"]`, name: "COPY [<<EOF, /x]" },
    { text: `run echo $X   $Z '$X' "q" \\\n  # c\n\n   more`, name: `RUN echo foo   $Z '$X' "q"    more` },
    { text: "workdir /a$X", name: "WORKDIR /afoo" },
    { text: `WORKDIR "/b c"`, name: "WORKDIR /b c" },
    { text: "RUN <<EOF\n\n  echo hi\necho there\nEOF", name: "RUN <<EOF (echo hi...)" },
    { text: "RUN <<-E\n\techo a\n\tE", name: "RUN <<-E (echo a)" },
    { text: "RUN cat <<EOF > /x\nhi\nEOF", name: "RUN cat <<EOF > /x" },
    { text: "COPY <<A <<B /z/\na\nA\nb\nB", name: "COPY <<A <<B /z/" },
    { text: `RUN ["echo", "a b"]`, name: `RUN ["echo", "a b"]` },
    { text: "RUN --mount=type=cache,target=/x  --network=none echo   a\tb", name: "RUN --mount=type=cache,target=/x  --network=none echo   a\tb" },
    { text: "RUN echo \\$A ${A:-x} ${U:-y} $U 'it''s'", name: "RUN echo $A 1 ${U:-y} $U 'it''s'" },
    { text: "RUN", name: "RUN" },
    { text: "RUN echo ${", name: "RUN echo ${" },
  ];
  for (const { text, name } of cases) {
    it(name, () => {
      const step = parseDockerfile(`FROM scratch\n${text}\n`).stages[0]?.instructions[0];
      assert.ok(step?.type === "run" || step?.type === "copy" || step?.type === "workdir");
      assert.equal(formatStepName(step, variables), name);
    });
  }

  it("hides secrets", () => {
    const step = parseDockerfile("FROM scratch\nRUN login $TOKEN\n").stages[0]?.instructions[0];
    assert.ok(step?.type === "run");
    assert.equal(formatStepName(step, new Map([["TOKEN", "abc"]]), { masked: new Set(["TOKEN"]) }), "RUN login ****");
  });
});
