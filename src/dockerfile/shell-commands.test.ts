import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fc } from "../base/test-chance.ts";
import { splitShellCommands } from "./shell-commands.ts";

describe("splitShellCommands", () => {
  const cases: { script: string; commands: readonly (readonly string[])[] }[] = [
    { script: "", commands: [] },
    { script: 'a  b \'c d\' "e \\" f"g', commands: [["a", "b", "c d", 'e " fg']] },
    { script: "a && b || c; d & e | f\ng", commands: [["a"], ["b"], ["c"], ["d"], ["e"], ["f"], ["g"]] },
    { script: "set -ex; if [ -f x ]; then sudo A=1 b; fi", commands: [["set", "-ex"], ["[", "-f", "x", "]"], ["b"]] },
    { script: "(a; b) # c\nd", commands: [["a"], ["b)"], ["d"]] },
    { script: "a \\\n  b\\ c", commands: [["a", "b c"]] },
    { script: "''", commands: [[""]] },
    { script: "'open", commands: [["open"]] },
  ];
  for (const { script, commands } of cases) it(JSON.stringify(script), () => assert.deepEqual(splitShellCommands(script), commands));

  it("takes any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("a", " ", "'", '"', "\\", "\n", ";", "&", "#", "(", ")", "$") }), (text) => void splitShellCommands(text)),
    );
  });
});
