import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { httpUrlFault } from "./go-url.ts";

// as Docker says them of ADD
const cases: readonly (readonly [url: string, want: string | undefined])[] = [
  ["http://", 'Get "http:": http: no Host in request URL'],
  ["https:///f", 'Get "https:///f": http: no Host in request URL'],
  ["http://[::1", `parse "http://[::1": missing ']' in host`],
  ["http://%zz/f", 'parse "http://%zz/f": invalid URL escape "%zz"'],
  ["http://127.0.0.1:8767/%zz", 'parse "http://127.0.0.1:8767/%zz": invalid URL escape "%zz"'],
  ["http://127.0.0.1/a%2", 'parse "http://127.0.0.1/a%2": invalid URL escape "%2"'],
  ["http://127.0.0.1:x/f", 'parse "http://127.0.0.1:x/f": invalid port ":x" after host'],
  ["http://127.0.0.1:99999/f", 'Get "http://127.0.0.1:99999/f": dial tcp: address 99999: invalid port'],
  ["http://127.0.0.1:8767/%66?q=%zz#%", undefined],
  ["http://u:p@[::1]:80/f", undefined],
  ["https://example.test", undefined],
  ["http://127.0.0.1:/f", undefined],
];
describe("addresses:", () => {
  for (const [url, want] of cases) test(url, () => assert.equal(httpUrlFault(url), want));
});
