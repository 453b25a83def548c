import assert from "node:assert/strict";
import { test } from "node:test";
import { takenSources } from "./taken-sources.ts";
import { lower } from "./test-lowering.ts";

test("all that the needed stages take from the context, and nothing of others", () => {
  const dockerfile = `FROM busybox AS unneeded
COPY x /
FROM busybox AS one
RUN --mount=type=bind,source=mounted,target=/m true
COPY a b* /c/
FROM busybox
ADD d /
COPY --from=one /c /c
`;
  const { root } = lower(dockerfile);
  assert.ok(root !== undefined);
  assert.deepEqual([...takenSources(root, "context")].toSorted(), ["/a", "/b*", "/d", "/mounted"]);
  assert.deepEqual(takenSources(root, "other"), []);
});
