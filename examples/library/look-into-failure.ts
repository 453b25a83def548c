/** A build fails; the program looks at what its step had done, and runs a command in its state. */
import assert from "node:assert/strict";
import { isStepFailedError } from "slipway";
import { createBase } from "./base.ts";
import { createWorkplace } from "./store.ts";

await using workplace = await createWorkplace();
const { slipway } = workplace;
const base = await createBase(workplace);
const text = `FROM ${base}
WORKDIR /app
RUN --mount=type=tmpfs,target=/scratch echo half done >report; echo "line 1" >/scratch/log; exit 3
`;

try {
  await slipway.build({ context: { kind: "directory", path: workplace.context({}) }, dockerfile: { kind: "text", text } }).result;
  assert.fail("the build should have failed");
} catch (error) {
  if (!isStepFailedError(error)) throw error;
  const { failure } = error;
  console.log(`${failure.step.name} ended with ${failure.step.exitCode} in ${failure.step.workdir}`);
  const changes = await failure.changes();
  console.log(`it had changed ${changes.map(({ path }) => path).join(", ")}`);
  assert.ok(changes.some(({ kind, path }) => kind === "added" && path === "/app/report"));
  assert.deepEqual(
    (await failure.files("/app")).map(({ path, sizeBytes }) => [path, sizeBytes]),
    [["/app/report", 10]],
  );

  let said = "";
  const { exitCode } = await failure.shell({
    command: ["cat", "report", "/scratch/log"],
    onOutput: (_stream, data) => {
      said += Buffer.from(data).toString();
    },
  });
  console.log(`in its state: ${JSON.stringify(said)}`);
  assert.deepEqual([exitCode, said], [0, "half done\nline 1\n"]);
}
assert.equal(slipway.debug.list().length, 1);
