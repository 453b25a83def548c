import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import type { Digest } from "../../oci/digest.ts";
import { parseReference } from "../../oci/reference.ts";
import type { Json } from "../../oci/bounded-json.ts";
import { parseLocated } from "../../oci/located-json.ts";
import type { Finding } from "../scan-api.ts";
import { failingCondition, parseCondition } from "./condition.ts";
import { isExcused } from "./judge.ts";
import { ruleFor } from "./load-policy.ts";
import { parsePolicy, policyError } from "./policy-file.ts";
import { starterPolicy } from "./starter-policy.ts";

const digest = `sha256:${"a".repeat(64)}` as Digest;
const accept = { accept: true };
const withScopes = (scopes: object, more: object = {}): string => JSON.stringify({ version: 1, scopes, default: { reject: true }, ...more });

const scopes = {
  "docker.io": accept,
  "docker.io/library": accept,
  "docker.io/library/alpine": accept,
  "docker.io/library/alpine:3": accept,
  [`docker.io/library/alpine@${digest}`]: accept,
  "*.example.com": accept,
  "a.example.com": accept,
  "a.example.com/team": accept,
  "localhost:5000": accept,
  "Upper.example:443": accept,
};
const matches: readonly { readonly image: string; readonly want: string }[] = [
  { image: "acme/app:1", want: "docker.io" },
  { image: "busybox", want: "docker.io/library" },
  { image: "alpine:2", want: "docker.io/library/alpine" },
  { image: "alpine:3", want: "docker.io/library/alpine:3" },
  { image: `alpine:3@${digest}`, want: `docker.io/library/alpine@${digest}` },
  { image: `alpine:3@sha256:${"b".repeat(64)}`, want: "docker.io/library/alpine" },
  { image: "docker.io/library/alpine-fake:3", want: "docker.io/library" },
  { image: "docker.io/libraryx/alpine", want: "docker.io" },
  { image: "b.example.com/x", want: "*.example.com" },
  { image: "c.b.example.com/x", want: "*.example.com" },
  { image: "a.example.com/x", want: "a.example.com" },
  { image: "a.example.com/team/x", want: "a.example.com/team" },
  { image: "a.example.com/teams/x", want: "a.example.com" },
  { image: "example.com/x", want: "default" },
  { image: "badexample.com/x", want: "default" },
  { image: "a.example.com.evil.test/x", want: "default" },
  { image: "localhost:5000/x", want: "localhost:5000" },
  { image: "localhost:50001/x", want: "default" },
  // spellings of the same host
  { image: "LOCALHOST:5000/x", want: "localhost:5000" },
  { image: "A.Example.COM/team/x", want: "a.example.com/team" },
  { image: "a.example.com:443/team/x", want: "a.example.com/team" },
  { image: "B.example.com:443/x", want: "*.example.com" },
  { image: "index.docker.io/library/alpine:3", want: "docker.io/library/alpine:3" },
  { image: "registry-1.docker.io/library/alpine:3", want: "docker.io/library/alpine:3" },
  { image: "Index.docker.io:443/library/alpine:3", want: "docker.io/library/alpine:3" },
  { image: "registry.hub.docker.com/acme/app", want: "docker.io" },
  { image: "DOCKER.io/library/alpine:3", want: "docker.io/library/alpine:3" },
  { image: "upper.example/x", want: "Upper.example:443" },
  { image: "upper.example:8443/x", want: "default" },
];
describe("the scope of an image:", () => {
  const policy = parsePolicy(withScopes(scopes), "p");
  for (const { image, want } of matches) {
    test(`${image} → ${want}`, () => {
      const reference = parseReference(image);
      assert.equal(ruleFor(policy, reference, reference.digest).scope, want);
    });
  }
});

const keys = { signed: [{ keys: "k.pub" }] };
const broken: readonly { readonly name: string; readonly text: string; readonly want: RegExp }[] = [
  { name: "another version", text: '{"version": 2, "default": {"accept": true}}', want: /^p:1: want "version": 1/ },
  { name: "no default", text: '{"version": 1}', want: /"default" is missing/ },
  { name: "a misspelt rule", text: '{"version": 1, "default": {\n"vulnerabilties": {}}}', want: /^p:2: unknown key "default\.vulnerabilties"/ },
  {
    name: "a misspelt field",
    text: withScopes({ "a.b": { signed: [{ keys: "k", signedfor: "x" }] } }),
    want: /unknown key "scopes\.a\.b\.signed\[0\]\.signedfor"/,
  },
  { name: "a rule that says nothing", text: withScopes({ "a.b": { mode: "audit" } }), want: /a\.b says nothing/ },
  { name: "accept and a demand", text: withScopes({ "a.b": { ...accept, ...keys } }), want: /a\.b has to be one/ },
  { name: "accept: false", text: withScopes({ "a.b": { accept: false } }), want: /"accept" is true or left out/ },
  { name: "a mode that does not exist", text: withScopes({}, { mode: "off" }), want: /mode has to be one of enforce, audit, not "off"/ },
  { name: "a scope without a registry", text: withScopes({ alpine: accept }), want: /begins with a registry/ },
  { name: "a scope that is no name", text: withScopes({ "a.b/UPPER": accept }), want: /^p:1: scope "a\.b\/UPPER": .*lowercase/ },
  {
    name: "a scope in two spellings",
    text: withScopes({ "a.b/x": accept }, {}).replace('"a.b/x"', '"a.b/x":{"accept":true},\n"A.b:443/x"'),
    want: /^p:2: the scope "A\.b:443\/x" is "a\.b\/x" in another spelling/,
  },
  { name: "a wildcard in the middle", text: withScopes({ "a.b/*": accept }), want: /scope/ },
  { name: "keys without files", text: withScopes({ "a.b": { signed: [{ keys: [] }] } }), want: /"keys" names no file/ },
  { name: "an identity without an issuer", text: withScopes({ "a.b": { signed: [{ identity: "x", trustedRoot: "r" }] } }), want: /issuer is missing/ },
  {
    name: "an identity in two forms",
    text: withScopes({ "a.b": { signed: [{ identity: "x", identityPattern: "y", issuer: "z", trustedRoot: "r" }] } }),
    want: /exclude each other/,
  },
  {
    name: "a pattern that is none",
    text: withScopes({ "a.b": { signed: [{ identityPattern: "(", issuer: "z", trustedRoot: "r" }] } }),
    want: /identityPattern is no pattern/,
  },
  {
    name: "attestations with notation's certificates",
    text: withScopes({ "a.b": { attested: [{ type: "vuln", authorities: "k" }] } }),
    want: /^p:1: attestations are made with keys or for an identity/,
  },
  {
    name: "a signed name of two kinds",
    text: withScopes({ "a.b": { signed: [{ keys: "k", signedName: { match: "exact", repository: "a/b" } }] } }),
    want: /^p:1: signedName has one of/,
  },
  {
    name: "a signed name beside a copy's original",
    text: withScopes({ "a.b": { signed: [{ keys: "k", signedFor: "a/b", signedName: { match: "exact" } }] } }),
    want: /^p:1: signedName and signedFor exclude each other/,
  },
  {
    name: "a signed name that is none",
    text: withScopes({ "a.b": { signed: [{ keys: "k", signedName: { reference: "A B" } }] } }),
    want: /^p:1: .*A B/,
  },
  {
    name: "a signed name of attestations",
    text: withScopes({ "a.b": { attested: [{ type: "vuln", keys: "k", signedName: { match: "exact" } }] } }),
    want: /^p:1: unknown key ".*signedName"/,
  },
  { name: "attestations of nobody", text: withScopes({ "a.b": { attested: [{ type: "vuln" }] } }), want: /^p:1: .*identity/ },
  { name: "an unknown type of attestation", text: withScopes({ "a.b": { attested: [{ type: "sbom", keys: "k" }] } }), want: /^p:1: .*sbom/ },
  { name: "an unknown word of failOn", text: withScopes({ "a.b": { vulnerabilities: { failOn: "hihg" } } }), want: /failOn has no word "hihg"/ },
  {
    name: "an exception without a reason",
    text: withScopes({ "a.b": { vulnerabilities: { failOn: "high", exceptions: [{ id: "CVE-1" }] } } }),
    want: /reason is missing/,
  },
  {
    name: "an exception until no date",
    text: withScopes({ "a.b": { vulnerabilities: { failOn: "high", exceptions: [{ id: "C", reason: "r", until: "soon" }] } } }),
    want: /has to be a date/,
  },
  { name: "negative grace", text: withScopes({ "a.b": { vulnerabilities: { failOn: "high", graceDays: -1 } } }), want: /a whole number/ },
];
describe("a policy is refused with its line:", () => {
  for (const { name, text, want } of broken) test(name, () => assert.throws(() => parsePolicy(text, "p"), { code: "POLICY_INVALID", message: want }));
});

const predicate: Json = {
  builder: { id: "https://ci.test" },
  runs: [
    { n: 1, ok: true },
    { n: 5, ok: false },
  ],
  at: "2026-01-10T00:00:00Z",
  none: null,
};
const conditions: readonly { readonly text: object; readonly want: boolean }[] = [
  { text: { path: "builder.id", is: "https://ci.test" }, want: true },
  { text: { path: "builder.id", is: "https://ci.test/" }, want: false },
  { text: { path: "builder.id", matches: "https://ci\\..*" }, want: true },
  { text: { path: "builder.id", matches: "ci" }, want: false },
  { text: { path: "builder.id", oneOf: ["a", "https://ci.test"] }, want: true },
  { text: { path: "runs.*.n", atLeast: 5 }, want: true },
  { text: { path: "runs.*.n", atLeast: 6 }, want: false },
  { text: { path: "runs.0.n", atMost: 1 }, want: true },
  { text: { path: "runs.0.ok", is: true }, want: true },
  { text: { path: "at", maxAgeDays: 10 }, want: true },
  { text: { path: "at", maxAgeDays: 3 }, want: false },
  { text: { path: "builder.id", maxAgeDays: 3 }, want: false },
  { text: { path: "none", is: null }, want: true },
  { text: { path: "absent.deep", is: "x" }, want: false },
  { text: { path: "constructor.name", is: "Object" }, want: false },
];
describe("conditions:", () => {
  for (const { text, want } of conditions) {
    test(`${JSON.stringify(text)} ${want ? "holds" : "does not hold"}`, () => {
      const condition = parseCondition(parseLocated(JSON.stringify(text), (line, reason) => policyError("p", line, reason)));
      assert.equal(failingCondition([condition], predicate, new Date("2026-01-15T00:00:00Z")) === undefined, want);
    });
  }
});

const finding = (more: Partial<Finding>): Finding => ({
  id: "CVE-2024-1",
  aliases: ["GHSA-1"],
  severity: "high",
  url: "",
  ecosystem: "npm",
  name: "left",
  version: "1",
  exploited: false,
  packages: [],
  ...more,
});
const excuses: readonly { readonly name: string; readonly finding: Finding; readonly want: boolean }[] = [
  { name: "by its name, on the last day", finding: finding({}), want: true },
  { name: "by another name", finding: finding({ id: "X", aliases: ["CVE-2024-1"] }), want: true },
  { name: "by an exception that has ended", finding: finding({ id: "CVE-2024-2", aliases: [] }), want: false },
  { name: "by an exception without an end", finding: finding({ id: "CVE-2024-3", aliases: [] }), want: true },
  { name: "in its first week", finding: finding({ id: "N", aliases: [], published: "2026-01-10T00:00:00Z" }), want: true },
  { name: "after its first week", finding: finding({ id: "N", aliases: [], published: "2026-01-08T00:00:00Z" }), want: false },
  { name: "published in the future", finding: finding({ id: "N", aliases: [], published: "2027-01-08T00:00:00Z" }), want: false },
  { name: "without a date", finding: finding({ id: "N", aliases: [] }), want: false },
];
describe("a vulnerability is excused:", () => {
  const { fallback } = parsePolicy(
    JSON.stringify({
      version: 1,
      default: {
        vulnerabilities: {
          failOn: "high",
          graceDays: 7,
          exceptions: [
            { id: "CVE-2024-1", until: "2026-01-16", reason: "r" },
            { id: "CVE-2024-2", until: "2026-01-15", reason: "r" },
            { id: "CVE-2024-3", reason: "r" },
          ],
        },
      },
    }),
    "p",
  );
  for (const { name, finding: found, want } of excuses) {
    test(name, () =>
      assert.equal(fallback.vulnerabilities !== undefined && isExcused(fallback.vulnerabilities, found, new Date("2026-01-16T12:00:00Z")), want),
    );
  }
});

test("the policy to begin with is one", () => {
  const policy = parsePolicy(starterPolicy({ keys: ["/k.pub"], scopes: ["a.b"], unsigned: ["c.d/e"], audit: true }), "p");
  assert.deepEqual(
    [policy.scopes.map(({ rule }) => [rule.scope, rule.mode, rule.signed.length]), policy.fallback.action],
    [
      [
        ["a.b", "audit", 1],
        ["c.d/e", "audit", 0],
      ],
      "reject",
    ],
  );
  assert.equal(parsePolicy(starterPolicy({ keys: [], scopes: ["a.b"], unsigned: [], audit: false }), "p").scopes[0]?.rule.signed.length, 0);
});

test("the example of docs/policy.md is a policy", () => {
  const page = readFileSync(new URL("../../../docs/policy.md", import.meta.url), "utf8");
  const examples = [...page.matchAll(/^```json\n(.*?)^```$/gms)].map(([, text = ""]) => parsePolicy(text, "docs/policy.md"));
  assert.deepEqual(
    examples.map(({ scopes, fallback }) => [scopes.length, fallback.action]),
    [[3, "reject"]],
  );
});
