import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { text } from "node:stream/consumers";
import { relayAgent } from "./agent-relay.ts";

const scratch = mkdtempSync(join(tmpdir(), "slipway-relay-"));
after(() => rmSync(scratch, { recursive: true }));

/** Answers what it was told once the other side has ended. */
async function startAgent(path: string): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (connection) => void text(connection).then((said) => connection.end(`heard ${said}`)));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return server;
}

async function ask(path: string, question: string): Promise<string> {
  const connection = connect({ path, allowHalfOpen: true });
  connection.end(question);
  return text(connection);
}

describe("an agent's relay", () => {
  const uid = process.getuid?.() ?? 0;
  const gid = process.getgid?.() ?? 0;

  test("has the attributes that are asked for, and serves several at once", async (t) => {
    const agent = await startAgent(join(scratch, "agent"));
    t.after(() => agent.close());
    const deep = join(scratch, "d".repeat(120));
    mkdirSync(deep);
    using _ = await relayAgent(join(scratch, "agent"), join(deep, "relay"), { mode: 0o660, uid, gid });
    const status = statSync(join(deep, "relay"));
    assert.deepEqual([status.isSocket(), status.mode & 0o7777, status.uid, status.gid], [true, 0o660, uid, gid]);
    symlinkSync(deep, join(scratch, "near"));
    const answers = ["a", "b", "c"].map((word) => ask(join(scratch, "near/relay"), word));
    assert.deepEqual(await Promise.all(answers), ["heard a", "heard b", "heard c"]);
  });

  test("ends connections when the agent is gone, and takes none when it is disposed", async () => {
    const relay = await relayAgent(join(scratch, "nobody"), join(scratch, "other"), { mode: 0o600, uid, gid });
    const refused = await ask(join(scratch, "other"), "x").catch(() => "");
    assert.equal(refused, "");
    relay[Symbol.dispose]();
    await assert.rejects(ask(join(scratch, "other"), "x"));
  });
});
