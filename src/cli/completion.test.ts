import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { completeWords, completionScripts, formatCompletion } from "./completion.ts";
import { commandTable } from "./definitions/index.ts";

const names = {
  images: async () => [
    { value: "nginx:alpine", description: "" },
    { value: "localhost:5000/a:1", description: "" },
  ],
  volumes: async () => [{ value: "data", description: "" }],
  containers: async () => [{ value: "web", description: "nginx" }],
};

const answers: readonly (readonly [words: readonly string[], values: readonly string[], fallback: string])[] = [
  [["im"], ["images", "import", "image"], "none"],
  [["image", "p"], ["prune", "pull", "push"], "none"],
  [["rmi", "ng"], ["nginx:alpine"], "none"],
  [["rmi", "x", "local"], ["localhost:5000/a:1"], "none"],
  [["stop", ""], ["web"], "none"],
  [["build", "--no-c"], ["--no-cache", "--no-cache-filter"], "none"],
  [["build", "--progress", "r"], ["rawjson"], "none"],
  [["build", "--progress=p"], ["--progress=plain"], "none"],
  [["build", "-f", ""], [], "file"],
  [["build", ""], [], "directory"],
  [["build", ".", ""], [], "none"],
  [["run", "-it", "--network", ""], ["bridge", "host", "none"], "none"],
  [["run", "--rm", "ng"], ["nginx:alpine"], "none"],
  [["volume", "rm", "d"], ["data"], "none"],
  [["run", "nginx", "ls", ""], [], "file"],
  [["--root", "/x", "hist"], ["history"], "none"],
  [["--log-level", "d"], ["debug"], "none"],
  [["nosuch", ""], [], "none"],
];

for (const [words, values, fallback] of answers) {
  test(`completing: slipway ${words.join(" ")}`, async () => {
    const completion = await completeWords(commandTable, words, names);
    assert.deepEqual(
      completion.candidates.map((candidate) => candidate.value),
      values,
    );
    assert.equal(completion.fallback, fallback);
  });
}

test("the answer that the scripts read", () => {
  assert.equal(formatCompletion({ candidates: [{ value: "a", description: "b c" }], fallback: "file" }), "a\tb c\n:file\n");
});

test("bash completes with the script, also after a colon", (context) => {
  if (spawnSync("bash", ["-c", "true"]).status !== 0) return context.skip("no bash here");
  const program = `${completionScripts["bash"]}
slipway() { [[ \${*: -1} == loc* ]] && printf 'localhost:5000/a:1\\t\\n:none\\n' || printf 'images\\tList images\\n:none\\n'; }
try() { COMP_LINE=$1 COMP_POINT=\${#1}; _slipway; echo "\${COMPREPLY[*]}"; }
try "slipway im"; try "slipway rmi localhost:50"`;
  const { stdout, stderr } = spawnSync("bash", ["--norc", "-c", program], { encoding: "utf8" });
  assert.equal(stdout, "images\n5000/a:1\n", stderr);
});
