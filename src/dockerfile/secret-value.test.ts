import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { secretIn } from "./secret-value.ts";

describe("secretIn", () => {
  const cases: { value: string; what: string | undefined }[] = [
    { value: "postgres://app:hunter2@db/app", what: "a password" },
    { value: "postgres://app:${PASSWORD}@db/app", what: undefined },
    { value: "postgres://app:<password>@db/app", what: undefined },
    { value: "https://example.com:8080/a@b", what: undefined },
    { value: "https://user@example.com", what: undefined },
    { value: `ghp_${"a1".repeat(18)}`, what: "a GitHub token" },
    { value: `token=AKIA${"ABCD1234".repeat(2)}`, what: "an AWS access key" },
    { value: "-----BEGIN RSA PRIVATE KEY-----\nx", what: "a private key" },
    { value: `eyJ${"a".repeat(10)}.eyJ${"b".repeat(10)}.${"c".repeat(10)}`, what: "a JSON web token" },
    { value: "sha256:0123456789abcdef", what: undefined },
    { value: "", what: undefined },
  ];
  for (const { value, what } of cases) it(`${value.slice(0, 30)} → ${what}`, () => assert.equal(secretIn(value), what));
});
