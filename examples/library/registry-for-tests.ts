/** A registry in the program's own process that fails once: the client tries again, and the blob is whole. */
import assert from "node:assert/strict";
import { digestOf, parseReference } from "slipway/oci";
import { createRegistryClient } from "slipway/registry";
import { startRegistry } from "slipway/testing";

await using registry = await startRegistry();
await using client = createRegistryClient();
const bytes = Buffer.alloc(100_000, "layer ");
const blob = { mediaType: "application/octet-stream", digest: digestOf(bytes), size: bytes.length };
const app = parseReference(`${registry.host}/app`);

async function* from(offset: number): AsyncGenerator<Uint8Array> {
  yield bytes.subarray(offset);
}
console.log((await client.pushBlob(app, blob, { open: from })).outcome);

registry.addFault({ method: "GET", path: "/blobs/", times: 1, fault: { type: "cut", afterBytes: 40_000 } });
const chunks: Uint8Array[] = [];
for await (const chunk of client.openBlob(app, blob)) chunks.push(chunk);
assert.deepEqual(Buffer.concat(chunks), bytes);
const ranges = registry.requests.filter(({ method }) => method === "GET").map(({ headers }) => headers["range"] ?? "whole");
console.log(ranges.join(", "));
assert.equal(ranges.length, 2);
