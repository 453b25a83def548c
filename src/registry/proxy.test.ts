import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { proxyFor } from "./proxy.ts";

const env = { HTTPS_PROXY: "http://secure:3128", http_proxy: "plain:3128" };

describe("proxyFor", () => {
  const table: readonly [name: string, url: string, noProxy: string, want: string | undefined][] = [
    ["https", "https://registry.example/v2/", "", "http://secure:3128/"],
    ["http, written small and without a scheme", "http://registry.example/v2/", "", "http://plain:3128/"],
    ["localhost never", "https://localhost:5000/", "", undefined],
    ["loopback never", "http://127.0.0.5:5000/", "", undefined],
    ["loopback of IPv6 never", "http://[::1]:5000/", "", undefined],
    ["everything excluded", "https://a.example/", "*", undefined],
    ["the host", "https://a.example/", "b.example, A.example", undefined],
    ["a subdomain of the host", "https://x.a.example/", "a.example", undefined],
    ["a host that only ends alike", "https://xa.example/", "a.example", "http://secure:3128/"],
    ["subdomains only: a subdomain", "https://x.a.example/", ".a.example", undefined],
    ["subdomains only: the host itself", "https://a.example/", ".a.example", "http://secure:3128/"],
    ["subdomains with a star", "https://x.a.example/", "*.a.example", undefined],
    ["the right port", "https://a.example:5000/", "a.example:5000", undefined],
    ["another port", "https://a.example:5001/", "a.example:5000", "http://secure:3128/"],
    ["the default port", "https://a.example/", "a.example:443", undefined],
    ["an address", "https://10.1.2.3/", "10.1.2.3", undefined],
    ["an address is no domain", "https://10.1.2.3/", "2.3", "http://secure:3128/"],
    ["a range", "https://10.1.2.3/", "10.0.0.0/8", undefined],
    ["outside the range", "https://11.1.2.3/", "10.0.0.0/8", "http://secure:3128/"],
    ["a range of IPv6", "https://[fd00::1]:5000/", "fd00::/8", undefined],
    ["a broken range", "https://10.1.2.3/", "10.0.0.0/99", "http://secure:3128/"],
  ];
  for (const [name, url, noProxy, want] of table) {
    test(name, () => assert.equal(proxyFor(new URL(url), { ...env, NO_PROXY: noProxy })?.href, want));
  }
});

test("without settings there is no proxy, and a broken one is not repeated in the message", () => {
  assert.equal(proxyFor(new URL("https://a.example/"), {}), undefined);
  assert.throws(
    () => proxyFor(new URL("https://a.example/"), { HTTPS_PROXY: "ftp://user:secret@x" }),
    (error: Error & { code?: string }) => {
      return error.code === "INVALID_PROXY" && !error.message.includes("secret");
    },
  );
});
