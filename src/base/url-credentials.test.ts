import assert from "node:assert/strict";
import { test } from "node:test";
import { valueWithoutUrlCredentials, withoutUrlCredentials } from "./url-credentials.ts";

const texts: readonly (readonly [text: string, want: string])[] = [
  ["ADD https://user:secret@host/x /y", "ADD https://xxxxx:xxxxx@host/x /y"],
  ["https://token@host", "https://xxxxx@host"],
  ["HTTP://user:p@ss@host:80/a@b", "HTTP://xxxxx:xxxxx@host:80/a@b"],
  ["a http://u:p@h b https://v:q@i", "a http://xxxxx:xxxxx@h b https://xxxxx:xxxxx@i"],
  ["https://$USER:${PASSWORD}@host", "https://$USER:${PASSWORD}@host"],
  ["https://$USER:secret@host", "https://xxxxx:xxxxx@host"],
  ["https://host/@scope/name https://host?q=a@b", "https://host/@scope/name https://host?q=a@b"],
  ["git@host:x ssh://git@host/x user@example.com", "git@host:x ssh://git@host/x user@example.com"],
  ["nothing", "nothing"],
];
for (const [text, want] of texts) test(text, () => assert.equal(withoutUrlCredentials(text), want));

test("of a value every string, and nothing else", () => {
  assert.deepEqual(valueWithoutUrlCredentials({ a: ["http://u:p@h", 1, null, true], b: { c: "x" } }), {
    a: ["http://xxxxx:xxxxx@h", 1, null, true],
    b: { c: "x" },
  });
});
