import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { isSlipwayError } from "../../base/errors.ts";
import { BuildSecrets, checkSecrets } from "./step-secrets.ts";

const scratch = mkdtempSync(join(tmpdir(), "slipway-secrets-"));
after(() => rmSync(scratch, { recursive: true }));
const file = join(scratch, "secret");
writeFileSync(file, "from a file");
const socketPath = (label: string): string => join(scratch, label);

test("secrets from everywhere, asked for when they are needed", async () => {
  let asked = 0;
  process.env["SLIPWAY_TEST_SECRET"] = "from the environment";
  using secrets = new BuildSecrets(
    [
      { id: "file", file },
      { id: "env", env: "SLIPWAY_TEST_SECRET" },
      { id: "unset", env: "SLIPWAY_TEST_NONE" },
      { id: "text", value: "text" },
      { id: "bytes", value: Buffer.from([0, 255]) },
      {
        id: "callback",
        value: () => {
          asked++;
          return Promise.resolve("called");
        },
      },
    ],
    [],
    socketPath,
  );
  assert.equal(asked, 0);
  const read = async (id: string): Promise<string | undefined> => (await secrets.secret(id))?.toString();
  assert.deepEqual(await Promise.all(["file", "env", "unset", "text", "callback", "none"].map(read)), [
    "from a file",
    "from the environment",
    "",
    "text",
    "called",
    undefined,
  ]);
  assert.deepEqual([await secrets.secret("bytes"), asked], [Buffer.from([0, 255]), 1]);
});

test("a named file must be there and small, before anything is built", () => {
  assert.throws(
    () => checkSecrets([{ id: "s", file: join(scratch, "none") }]),
    (error) => isSlipwayError(error, "SECRET_FILE"),
  );
  writeFileSync(join(scratch, "large"), Buffer.alloc(500 * 1024 + 1));
  assert.throws(() => checkSecrets([{ id: "s", file: join(scratch, "large") }]), {
    code: "SECRET_TOO_LARGE",
    message: "secret s too big. max size 512000 bytes",
  });
  checkSecrets([
    { id: "s", file },
    { id: "t", value: "x" },
  ]);
});

describe("agents", () => {
  test("a socket is handed on as it is", async () => {
    const path = join(scratch, "agent.sock");
    const server = createServer().listen(path);
    await new Promise((resolve) => server.once("listening", resolve));
    using secrets = new BuildSecrets([], [{ id: "default", paths: [path] }], socketPath);
    assert.deepEqual([await secrets.ssh("default"), await secrets.ssh("other")], [path, undefined]);
    server.close();
  });

  test("without one, and with one that is not there", async () => {
    using secrets = new BuildSecrets(
      [],
      [
        { id: "a", paths: [""] },
        { id: "b", paths: [join(scratch, "none")] },
      ],
      socketPath,
    );
    for (const id of ["a", "b"]) await assert.rejects(secrets.ssh(id), (error) => isSlipwayError(error, "SSH_AGENT_MISSING"));
  });
});
