/** Builds an image from a Dockerfile in a string, shows the progress and the result, and finds the image again. */
import assert from "node:assert/strict";
import { createWorkplace } from "./store.ts";

await using workplace = await createWorkplace();
const { slipway } = workplace;

const build = slipway.build({
  context: { kind: "directory", path: workplace.context({ "greeting.txt": "hello\n" }) },
  dockerfile: { kind: "text", text: 'FROM scratch\nCOPY greeting.txt /\nLABEL made.by="a program"\n' },
  tags: ["from-code:1"],
});
for await (const event of build) {
  if (event.type === "vertex" && event.completedMs !== undefined) console.log(`${event.cached === true ? "cached" : "done  "} ${event.name}`);
}
const { imageId, tags } = await build.result;
console.log(`built ${imageId} as ${tags.join(", ")}`);

const image = slipway.images.inspect("from-code:1");
assert.equal(image.Id, imageId);
assert.equal(image.Config.Labels?.["made.by"], "a program");
assert.deepEqual(
  slipway.images.list().flatMap((one) => one.repoTags),
  ["from-code:1"],
);
