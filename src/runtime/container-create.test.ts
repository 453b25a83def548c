import assert from "node:assert/strict";
import { test } from "node:test";
import { shownCommand } from "./container-create.ts";

const cases: readonly { readonly args: readonly string[]; readonly want: string }[] = [
  { args: ["true"], want: "true" },
  { args: ["sleep", "100"], want: "sleep 100" },
  { args: ["sh", "-c", "exit 3"], want: "sh -c 'exit 3'" },
  { args: ["my prog", ""], want: "my prog " },
];
for (const { args, want } of cases) test(`the command as ps shows it: ${want}`, () => assert.equal(shownCommand(args), want));
