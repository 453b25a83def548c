/** `login` on a terminal: what is asked, what is shown of the answers, and Ctrl-C in the middle. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { after, describe, test } from "node:test";
import { startRegistry } from "../../src/testing/index.ts";
import { createSandbox, slipwayPath } from "./sandbox.ts";

const skip = spawnSync("script", ["--version"], { encoding: "utf8" }).stdout?.includes("util-linux") === true ? false : "needs script of util-linux";
const patienceMs = 60_000;

describe("login on a terminal", { skip }, async () => {
  const sandbox = await createSandbox({ base: false });
  const registry = await startRegistry({ login: { type: "basic", users: { ann: "hidden:word" } } });
  after(async () => {
    await registry[Symbol.asyncDispose]();
    await sandbox[Symbol.asyncDispose]();
  });
  const config = path.join(sandbox.env["HOME"] as string, ".docker/config.json");

  /** Types each answer once its question has appeared; gives all that was on the terminal. */
  async function converse(answers: readonly (readonly [question: RegExp, answer: string])[]): Promise<{ readonly code: number | null; readonly text: string }> {
    const command = [slipwayPath, "login", registry.host].map((word) => `'${word}'`).join(" ");
    const env = { ...sandbox.env, SHELL: "/bin/sh" };
    const child = spawn("script", ["--quiet", "--return", "--command", `exec ${command}`, "/dev/null"], { env, stdio: "pipe" });
    // "exit" may come before the last that it wrote
    const ended = once(child, "close", { signal: AbortSignal.timeout(patienceMs) });
    let text = "";
    let next = 0;
    let from = 0;
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const [question, answer] = answers[next] ?? [];
      const found = question?.exec(text.slice(from));
      if (answer === undefined || found === null || found === undefined) return;
      next++;
      from += found.index + found[0].length;
      child.stdin.write(answer);
    });
    try {
      await ended;
    } finally {
      child.kill("SIGKILL");
    }
    return { code: child.exitCode, text };
  }

  const interrupted: readonly [name: string, answers: readonly (readonly [RegExp, string])[]][] = [
    ["the name", [[/Username: /, "an\u0003"]]],
    [
      "the password",
      [
        [/Username: /, "ann\r"],
        [/Password: /, "hid\u0003"],
      ],
    ],
  ];
  for (const [name, answers] of interrupted) {
    test(`Ctrl-C at ${name} ends it at once, and nothing is kept`, async () => {
      const { code, text } = await converse(answers);
      assert.equal(code, 130, text);
      assert.doesNotMatch(text, /hid/);
      assert.equal(existsSync(config), false);
    });
  }

  test("the name is shown, the password is not", async () => {
    const { code, text } = await converse([
      [/Username: /, "ann\r"],
      [/Password: /, "hidden:worf\u007fd\r"],
    ]);
    assert.equal(code, 0, text);
    assert.match(text, /Username: ann\r\nPassword: \r\n[^]*Login Succeeded\r\n$/);
    assert.doesNotMatch(text, /hidden|worf/);
    assert.match(readFileSync(config, "utf8"), new RegExp(Buffer.from("ann:hidden:word").toString("base64")));
  });
});
