/** Health checks: the image's own, and what is told when the process that runs them was killed. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { createSandbox } from "./sandbox.ts";

const sandbox = await createSandbox();
after(() => sandbox[Symbol.asyncDispose]());

const status = ["inspect", "-f", "{{.State.Health.Status}}"];

/** What has ended and was not waited for yet does not live. */
function lives(pid: string): boolean {
  try {
    return !/\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}

test("the image's check runs with the image's shell, and ends with the container", async () => {
  await sandbox.build('FROM busybox\nENV WORD=well\nSHELL ["/bin/sh", "-ec"]\nHEALTHCHECK --interval=1s CMD test -e /ill && false; echo $WORD', {}, [
    "-t",
    "checked",
  ]);
  await sandbox.ok(["run", "-d", "--name", "checked", "checked", "sleep", "1000"]);
  await sandbox.until([...status, "checked"], "healthy");
  assert.equal(await sandbox.ok(["inspect", "-f", "{{(index .State.Health.Log 0).Output}}", "checked"]), "well\n");
  await sandbox.ok(["exec", "checked", "touch", "/ill"]);
  await sandbox.until([...status, "checked"], "unhealthy");
  const [pid = ""] = readFileSync(`${sandbox.store}/containers/${await sandbox.ok(["inspect", "-f", "{{.Id}}", "checked"])}/health/pid`, "utf8").split(" ");
  await sandbox.ok(["kill", "checked"]);
  await sandbox.ok(["wait", "checked"]);
  await sandbox.ok(["start", "checked"]);
  assert.equal(lives(pid), false);
  await sandbox.ok(["rm", "-f", "checked"]);
});

test("a container that ends at once is not disturbed by its image's check", async () => {
  await sandbox.build("FROM busybox\nHEALTHCHECK CMD true", {}, ["-t", "brief"]);
  for (let time = 0; time < 5; time++) assert.equal(await sandbox.ok(["run", "--rm", "brief", "echo", "ran"]), "ran");
});

test("a killed supervisor is told, and a restart brings another", async () => {
  await sandbox.ok(["run", "-d", "--name", "watched", "--health-cmd", "true", "--health-interval", "1s", "busybox", "sleep", "1000"]);
  await sandbox.until([...status, "watched"], "healthy");
  const id = await sandbox.ok(["inspect", "-f", "{{.Id}}", "watched"]);
  const [pid = ""] = readFileSync(`${sandbox.store}/containers/${id}/health/pid`, "utf8").split(" ");
  process.kill(Number(pid), "SIGKILL");
  await sandbox.until([...status, "watched"], "unhealthy");
  assert.match(await sandbox.ok(["inspect", "-f", "{{json .State.Health.Log}}", "watched"]), /the process that ran the health checks was ended/);
  await sandbox.ok(["restart", "-t", "0", "watched"]);
  await sandbox.until([...status, "watched"], "healthy");
  await sandbox.ok(["rm", "-f", "watched"]);
});
