import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isSlipwayError } from "../../base/errors.ts";
import { readSigningConfig } from "./signing-config.ts";

const mediaType = "application/vnd.dev.sigstore.signingconfig.v0.2+json";
const now = new Date("2026-06-01T00:00:00Z");
const service = (url: string, majorApiVersion: number, operator: string, start: string, end?: string): object => {
  return { url: `https://${url}`, majorApiVersion, operator, validFor: { start, ...(end === undefined ? {} : { end }) } };
};
const caUrls = [service("fulcio.test", 1, "a", "2022-01-01T00:00:00Z")];
const read = (config: object): ReturnType<typeof readSigningConfig> =>
  readSigningConfig(Buffer.from(JSON.stringify({ mediaType, caUrls, ...config })), "sc.json", now);

describe("the services of a signing config", () => {
  const old = service("rekor1.test", 1, "a", "2021-01-01T00:00:00Z");
  const first = service("log2025.test", 2, "a", "2025-01-01T00:00:00Z");
  const second = service("log2026.test", 2, "a", "2026-01-01T00:00:00Z");
  const others = service("log.other.test", 2, "b", "2025-06-01T00:00:00Z");
  const ended = service("ended.test", 2, "a", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z");
  const future = service("future.test", 2, "a", "2027-01-01T00:00:00Z");
  const unknown = service("v9.test", 9, "a", "2026-01-01T00:00:00Z");
  const cases: readonly [name: string, rekorTlogUrls: readonly object[], config: object, want: readonly string[]][] = [
    ["none", [], {}, []],
    ["of Rekor 1 where there is no other", [old], { selector: "ANY" }, ["1 rekor1.test"]],
    ["of Rekor 2 before Rekor 1", [old, first], { selector: "ANY" }, ["2 log2025.test"]],
    ["the newest", [first, second], {}, ["2 log2026.test"]],
    ["that is valid now", [first, ended, future], { selector: "ANY" }, ["2 log2025.test"]],
    ["of a kind that is known", [unknown, first], { selector: "ANY" }, ["2 log2025.test"]],
    ["several, each of another operator", [first, second, others], { selector: "EXACT", count: 2 }, ["2 log2026.test", "2 log.other.test"]],
    ["all", [first, second, old], { selector: "ALL" }, ["2 log2026.test", "2 log2025.test"]],
  ];
  for (const [name, rekorTlogUrls, rekorTlogConfig, want] of cases) {
    test(`logs: ${name}`, () => {
      const { logs } = read({ rekorTlogUrls, rekorTlogConfig }).services;
      assert.deepEqual(
        logs.map(({ url, version }) => `${version} ${new URL(url).host}`),
        want,
      );
    });
  }

  test("authority, issuer and time stamps", () => {
    const tsaUrls = [service("tsa.test/api/v1/timestamp", 1, "a", "2025-01-01T00:00:00Z")];
    const { services, issuer } = read({ tsaUrls, oidcUrls: [service("oauth2.test/auth", 1, "a", "2025-01-01T00:00:00Z")] });
    assert.deepEqual(
      [services.fulcioUrl, services.timestampUrls, issuer],
      ["https://fulcio.test", ["https://tsa.test/api/v1/timestamp"], "https://oauth2.test/auth"],
    );
  });

  const bad: readonly [name: string, config: object, message: RegExp][] = [
    ["of another version", { mediaType: "application/vnd.dev.sigstore.signingconfig.v0.1+json" }, /mediaType/],
    ["without an authority", { caUrls: [] }, /caUrls: want an authority/],
    ["with none that is valid", { rekorTlogUrls: [ended] }, /none of its rekorTlogUrls is valid now/],
    ["with none that is known", { rekorTlogUrls: [unknown] }, /none of its rekorTlogUrls is valid now and of a kind that is known here/],
    [
      "with fewer than it asks for",
      { rekorTlogUrls: [first, second], rekorTlogConfig: { selector: "EXACT", count: 2 } },
      /asks for 2 of its rekorTlogUrls, and 1/,
    ],
    ["with a selector that is none", { rekorTlogUrls: [first], rekorTlogConfig: { selector: "SOME" } }, /asks for SOME/],
    ["with an address that is none", { tsaUrls: [{ url: "file:///x" }] }, /url: want an address/],
    ["with a time that is none", { rekorTlogUrls: [service("x.test", 2, "a", "soon")] }, /start: want a time/],
    ["with services that are none", { rekorTlogUrls: ["x"] }, /rekorTlogUrls/],
  ];
  for (const [name, config, message] of bad) {
    test(`refused: ${name}`, () => {
      assert.throws(
        () => read(config),
        (error) =>
          isSlipwayError(error, "SIGNING_CONFIG_INVALID") && message.test(error.message) && error.message.startsWith("sc.json does not say how to sign: "),
      );
    });
  }
  test("refused: no JSON", () => assert.throws(() => readSigningConfig(Buffer.from("x"), "sc.json", now), { code: "SIGNING_CONFIG_INVALID" }));
});
