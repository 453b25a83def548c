/** `scripts/setup` as an ordinary user: one command for root, which helps. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";

const setup = path.resolve(import.meta.dirname, "../scripts/setup");
const become = ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"];

function reasonToSkip(): string | false {
  if (process.getuid?.() !== 0) return "needs root to become another user";
  if (!existsSync("/dev/net/tun")) return "needs /dev/net/tun";
  const [program, ...args] = [...become, "unshare", "--user", "--map-root-user", "--mount", "test", "-r", setup];
  return spawnSync(program, args).status === 0 ? false : "other users can make no namespaces here, or cannot read the checkout";
}

test("a device that only root may open is part of root's one command", { skip: reasonToSkip() }, (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), "slipway-setup-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const script = `mknod -m 0600 "$1/tun" c 10 200 && mount --bind "$1/tun" /dev/net/tun || exit 99
    ${become.join(" ")} "$2" >"$1/before" 2>&1; echo "first $?"; grep "^    sh -c" "$1/before"
    chmod 0666 /dev/net/tun; ${become.join(" ")} "$2" 2>&1 | grep -c tun`;
  const { stdout, stderr } = spawnSync("unshare", ["--mount", "--propagation", "slave", "sh", "-c", script, "sh", directory, setup], { encoding: "utf8" });
  assert.match(stdout, /^first 3\n {4}sh -c '(.* && )?chmod 0666 \/dev\/net\/tun'\n0\n$/, stderr);
});
