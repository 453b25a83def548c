import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SignatureList } from "../../engine/api.ts";
import { digestOf } from "../../oci/digest.ts";
import { runInMemory } from "../memory-cli.ts";

const digest = digestOf("x");
const of = { manifest: digest, sizeBytes: 1 };
const listed: SignatureList = {
  reference: `reg/app:1@${digest}`,
  signatures: [
    { ...of, format: "tag", isReadable: true, claimedBy: "a\u001b[31m key\nof\tours", claimedFor: "reg/app:1" },
    { ...of, format: "bundle", isReadable: true, claimedBy: undefined, claimedFor: undefined },
    { ...of, format: "notation", isReadable: false, claimedBy: undefined, claimedFor: undefined },
  ],
  unread: ["its list\u001b[31m has no end"],
};
const table = `FORMAT     SAYS IT IS BY       FOR         MANIFEST
tag        a[31m key of ours   reg/app:1   ${digest}
bundle     somebody            any name    ${digest}
notation   (unreadable)                    ${digest}
`;

describe("signatures", () => {
  const cases: readonly [words: string[], stdout: string][] = [
    [[], table],
    [["-o", "json"], `${JSON.stringify(listed)}\n`],
  ];
  for (const [words, stdout] of cases) {
    test(`signatures ${words.join(" ")}`, async () => {
      const outcome = await runInMemory(["signatures", ...words, "reg/app:1"], { engine: { trust: { signatures: async () => listed } } });
      assert.deepEqual([outcome.code, outcome.stdout, outcome.stderr], [0, stdout, "Not all was looked at: its list[31m has no end\n"]);
    });
  }
});
