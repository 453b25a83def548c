/** Where an image's bytes are: its history line by line with sizes, and which layers it shares with another image. */
import assert from "node:assert/strict";
import { createWorkplace } from "./store.ts";

await using workplace = await createWorkplace();
const { slipway } = workplace;
const context = {
  kind: "directory",
  path: workplace.context({ "big.bin": "x".repeat(300_000), "small.txt": "small\n" }),
} as const;
const build = (tag: string, lines: string): Promise<unknown> =>
  slipway.build({ context, dockerfile: { kind: "text", text: `FROM scratch\nCOPY big.bin /\n${lines}\n` }, tags: [tag] }).result;
await build("one", "COPY small.txt /\nENV A=1");
await build("two", 'CMD ["/big.bin"]');

for (const item of slipway.images.history("one")) console.log(`${String(item.sizeBytes).padStart(8)} B  ${item.createdBy}`);
for (const image of slipway.images.list()) {
  for (const layer of image.layers) console.log(`${image.repoTags[0]}: ${layer.diffId.slice(0, 19)} ${layer.sizeBytes} B${layer.shared ? ", shared" : ""}`);
}

const [one, two] = [slipway.images.inspect("one"), slipway.images.inspect("two")];
assert.equal(one.RootFS.Layers?.length, 2);
assert.equal(two.RootFS.Layers?.[0], one.RootFS.Layers?.[0]);
assert.ok(slipway.images.list().every((image) => image.layers[0]?.shared === true));
