import assert from "node:assert/strict";
import { test } from "node:test";
import { stepMountTargets } from "./step-mounts.ts";

test("standard places, files and directories, nothing that lies below another mount", () => {
  const targets = stepMountTargets({
    mounts: [
      { kind: "bind", source: "/h", destination: "/etc/hosts", readOnly: true, sourceKind: "file" },
      { kind: "tmpfs", destination: "/scratch" },
      { kind: "bind", source: "/s", destination: "/scratch/below", readOnly: false },
      { kind: "tmpfs", destination: "/dev/shm" },
    ],
  });
  assert.deepEqual(targets, [
    { path: "/proc", kind: "directory" },
    { path: "/dev", kind: "directory" },
    { path: "/sys", kind: "directory" },
    { path: "/etc/hosts", kind: "file" },
    { path: "/scratch", kind: "directory" },
  ]);
});
