import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import type { AttestationVerification } from "../../engine/api.ts";
import { digestOf } from "../../oci/digest.ts";
import { runInMemory, type EngineParts } from "../memory-cli.ts";

const cwd = mkdtempSync(path.join(tmpdir(), "slipway-attest-"));
after(() => rmSync(cwd, { recursive: true }));
for (const [name, text] of Object.entries({ "a.pub": "A", "b.key": "B", "p.json": "{}" })) writeFileSync(path.join(cwd, name), text);

const digest = digestOf("x");
const reference = `reg/app:1@${digest}`;
const signer = { kind: "key", name: "a.pub", description: "ECDSA P-256", fingerprint: "sha256:ab" } as const;
const found = { manifest: digest, signer, reference: "reg/app", predicateType: "https://spdx.dev/Document", predicate: { n: 1 } };
const attestations: AttestationVerification["attestations"] = [
  { ...found, format: "tag" },
  { ...found, format: "bundle" },
];
const listed = {
  reference,
  attestations: [
    { format: "bundle", manifest: digest, predicateType: "https://spdx.dev/Document", sizeBytes: 2000 },
    { format: "tag", manifest: digest, predicateType: undefined, sizeBytes: 1 },
  ] as const,
  unread: ["its list \u001b[31mhas no end"],
};
const trust: NonNullable<EngineParts["trust"]> = {
  attest: async (name, { type, predicate, formats }) => {
    assert.deepEqual([name, type, Buffer.from(predicate).toString(), formats], ["reg/app:1", "vuln", "{}", ["legacy"]]);
    return { reference, digest, images: [{ digest, platform: "linux/arm64", signatures: [{ format: "legacy", manifest: digest, existed: false }] }] };
  },
  attestations: async () => listed,
  verifyAttestations: async (_, { keys, type, repositories }) => {
    assert.deepEqual([keys, type, repositories], [[{ pem: "A", name: "a.pub" }], "spdxjson", ["other"]]);
    return { reference, digest, attestations, refused: [], unread: [] };
  },
};
const key = ["--key", "a.pub", "--type", "spdxjson", "--repository", "other"];
const shown = (format: string): string => `  https://spdx.dev/Document, ${format} ${digest}\n    by a.pub (ECDSA P-256, sha256:ab)\n    for reg/app\n`;
const table = `TYPE                        FORMAT    SIZE      MANIFEST
https://spdx.dev/Document   bundle    2kB       ${digest}
(unreadable)                tag       1B        ${digest}
`;

describe("attestations", () => {
  const good: readonly [words: string[], stdout: string][] = [
    [["attest", "--key", "b.key", "--type", "vuln", "--predicate", "p.json", "--signature-format", "legacy", "reg/app:1"], `${reference}\n`],
    [["attestations", "reg/app:1"], table],
    [["attestations", "-o", "json", "reg/app:1"], `${JSON.stringify(listed)}\n`],
    [["attestations", ...key, "reg/app:1"], '{"n":1}\n'],
    [["verify", ...key, "reg/app:1"], `${reference}: verified\n${shown("tag")}${shown("bundle")}`],
  ];
  for (const [words, stdout] of good) {
    test(words.join(" "), async () => {
      const outcome = await runInMemory(words, { cwd, engine: { trust } });
      const said: Readonly<Record<string, string>> = {
        attest: `${digest} (linux/arm64): tag .att written (${digest})\n`,
        attestations: words.includes("--key") ? "" : "Not all was looked at: its list [31mhas no end\n",
      };
      assert.deepEqual([outcome.stderr, outcome.code, outcome.stdout], [said[words[0] ?? ""] ?? "", 0, stdout]);
    });
  }

  test("the statement comes from standard input, and is named so", async () => {
    const seen: unknown[] = [];
    const attest: NonNullable<typeof trust.attest> = async (_, { predicate, predicateName }) => {
      seen.push([Buffer.from(predicate).toString(), predicateName]);
      return { reference, digest, images: [] };
    };
    const words = ["attest", "--key", "b.key", "--type", "custom", "--predicate", "-", "reg/app:1"];
    const outcome = await runInMemory(words, { cwd, stdin: "text\n", engine: { trust: { attest } } });
    assert.deepEqual([outcome.stderr, outcome.code, seen], ["", 0, [["text\n", "standard input"]]]);
  });

  test("statements of identities are printed too", async () => {
    const seen: unknown[] = [];
    const verifyAttestations: NonNullable<typeof trust.verifyAttestations> = async (_, { keys, identities, trustedRoot }) => {
      seen.push([keys, identities, trustedRoot?.ignoreLog]);
      return { reference, digest, attestations, refused: [], unread: [] };
    };
    const words = ["attestations", "--identity", "me", "--issuer", "https://o", "--trusted-root", "p.json", "--insecure-ignore-tlog", "reg/app:1"];
    const outcome = await runInMemory(words, { cwd, engine: { trust: { verifyAttestations } } });
    assert.deepEqual([outcome.stderr, outcome.code, outcome.stdout], ["", 0, '{"n":1}\n']);
    assert.deepEqual(seen, [[[], [{ identity: "me", issuer: "https://o" }], true]]);
  });

  const bad: readonly [words: string[], stderr: RegExp][] = [
    [["attest", "--key", "b.key", "--predicate", "p.json", "reg/app"], /^--type says what kind of statement it is/],
    [["attest", "--key", "b.key", "--type", "vuln", "reg/app"], /^--predicate names the JSON file/],
    [["attest", "--type", "vuln", "--predicate", "p.json", "reg/app"], /^--key names the private key/],
    [["attestations", "--type", "vuln", "reg/app"], /^--type wants --key or --identity/],
    [["verify", ...key, "-a", "k=v", "reg/app"], /^--type is about attestations: it goes with --key or --identity, and without --annotations and --recursive/],
  ];
  for (const [words, stderr] of bad) {
    test(words.join(" "), async () => {
      const outcome = await runInMemory(words, { cwd, engine: { trust } });
      assert.match(outcome.stderr, stderr);
      assert.equal(outcome.code, 1);
    });
  }
});
