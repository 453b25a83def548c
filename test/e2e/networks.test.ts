/** Networks that users define, with real containers: names, addresses, isolation, ports, and what is left after something was killed. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { after, test } from "node:test";
import { listProcesses } from "./processes.ts";
import { createSandbox, isRoot } from "./sandbox.ts";

const has = (program: string): boolean => spawnSync("sh", ["-c", `PATH=$PATH:/usr/sbin:/sbin; command -v ${program}`]).status === 0;
const missing = ["ip", "nsenter", "pasta"].filter((program) => !has(program));
const skip = missing.length > 0 ? `not installed: ${missing.join(", ")}` : false;

const sandbox = await createSandbox();
after(() => sandbox[Symbol.asyncDispose]());

/** The process that holds this store's networks, if one does. */
function keeper(): number | undefined {
  const [id = ""] = spawnSync("sh", ["-c", `printf %s "$1" | sha256sum | cut -c1-8`, "sh", sandbox.store], { encoding: "utf8" }).stdout.split("\n");
  return listProcesses().find(({ words }) => words.includes(" networks: ") && words.includes(id))?.pid;
}

async function until(holds: () => boolean, what: string): Promise<void> {
  for (const deadlineMs = Date.now() + 60_000; !holds(); await new Promise((resolve) => setTimeout(resolve, 50))) assert.ok(Date.now() < deadlineMs, what);
}

const lookUp = (name: string): readonly string[] => ["busybox", "sh", "-c", `nslookup ${name} 127.0.0.11 | grep -v '#53\\|:53' | grep -c 'Address.*10\\.'`];

test("containers find each other by name, alias and id, and the machine's port still leads in", { skip }, async () => {
  await sandbox.ok(["network", "create", "--subnet", "10.91.0.0/24", "shop"]);
  const serve = "echo page >/index.html; exec httpd -f -p 80 -h /";
  const where = ["--network", "shop", "--network-alias", "www", "-p", "127.0.0.1::80"];
  const id = await sandbox.ok(["run", "-d", "--name", "web", ...where, "busybox", "sh", "-c", serve]);
  await sandbox.until(["exec", "web", "sh", "-c", "wget -qO- http://127.0.0.1/index.html 2>/dev/null; true"], "page");
  const names = `for name in web www ${id.slice(0, 12)} web.shop; do wget -qO- http://$name/index.html; done`;
  assert.equal(await sandbox.ok(["run", "--rm", "--network", "shop", "busybox", "sh", "-c", names]), "page\npage\npage\npage");
  const port = await sandbox.ok(["inspect", "-f", '{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}', "web"]);
  assert.equal(await (await fetch(`http://127.0.0.1:${port}/index.html`)).text(), "page\n");
});

test("a name of another network is nobody's, and its addresses lead nowhere", { skip }, async () => {
  await sandbox.ok(["network", "create", "--internal", "--subnet", "10.91.1.0/24", "apart"]);
  assert.equal((await sandbox.call(["run", "--rm", "--network", "apart", ...lookUp("web")])).stdout, "0\n");
  const reach = "ping -c 1 -W 1 10.91.0.2 >/dev/null 2>&1 && echo reached || echo apart; ip route | grep -c default";
  assert.equal((await sandbox.call(["run", "--rm", "--network", "apart", "busybox", "sh", "-c", reach])).stdout, "apart\n0\n");
});

test("a container that runs joins and leaves at once, and has its new name at once", { skip }, async () => {
  await sandbox.ok(["network", "connect", "--alias", "inner", "apart", "web"]);
  assert.equal(await sandbox.ok(["run", "--rm", "--network", "apart", "busybox", "wget", "-qO-", "http://inner/index.html"]), "page");
  await sandbox.ok(["rename", "web", "site"]);
  assert.equal(await sandbox.ok(["run", "--rm", "--network", "apart", "busybox", "wget", "-qO-", "http://site/index.html"]), "page");
  await sandbox.ok(["network", "disconnect", "apart", "site"]);
  assert.equal((await sandbox.call(["run", "--rm", "--network", "apart", ...lookUp("site")])).stdout, "0\n");
  assert.equal(await sandbox.ok(["exec", "site", "sh", "-c", "ip -4 addr | grep -c 'inet 10'"]), "1");
});

test("two that start at the same time get two addresses", { skip }, async () => {
  const names = ["t1", "t2", "t3", "t4"];
  await Promise.all(names.map((name) => sandbox.ok(["run", "-d", "--name", name, "--network", "shop", "busybox", "sleep", "1000"])));
  const addresses = await Promise.all(names.map((name) => sandbox.ok(["inspect", "-f", "{{.NetworkSettings.Networks.shop.IPAddress}}", name])));
  assert.equal(new Set(addresses).size, names.length, addresses.join(" "));
  await sandbox.ok(["rm", "-f", ...names]);
});

test("after kill -9 of the keeper the next command gives the containers their network back", { skip: skip || (!isRoot && "not root") }, async () => {
  const pid = keeper();
  assert.ok(pid !== undefined);
  const address = await sandbox.ok(["inspect", "-f", "{{.NetworkSettings.Networks.shop.IPAddress}}", "site"]);
  process.kill(pid, "SIGKILL");
  await until(() => !existsSync(`/proc/${pid}`), "the keeper lives");
  assert.equal(await sandbox.ok(["network", "inspect", "-f", "{{range .Containers}}{{.IPv4Address}}{{end}}", "shop"]), `${address}/24`);
  assert.equal(await sandbox.ok(["run", "--rm", "--network", "shop", "busybox", "wget", "-qO-", "http://site/index.html"]), "page");
});

test(
  "a network in use stays; the keeper ends with the last container, whoever killed it, and holds no mount",
  { skip: skip || (!isRoot && "not root") },
  async () => {
    const refused = await sandbox.call(["network", "rm", "shop"]);
    assert.deepEqual([refused.code, /network shop has active endpoints \(name:"site"/.test(refused.stderr)], [1, true], refused.stderr);
    const pid = keeper();
    assert.ok(pid !== undefined);
    assert.doesNotMatch(readFileSync(`/proc/${pid}/mountinfo`, "utf8"), new RegExp(`${sandbox.store}/`));
    process.kill(Number(await sandbox.ok(["inspect", "-f", "{{.State.Pid}}", "site"])), "SIGKILL");
    await until(() => keeper() === undefined, "the keeper outlives its containers");
    await sandbox.until(["network", "inspect", "-f", "{{len .Containers}}", "shop"], "0");
    assert.equal(await sandbox.ok(["network", "prune", "-f"]), "Deleted Networks:\napart\nshop\n");
  },
);

test("a network that is gone keeps a container from starting, and the error names it", { skip }, async () => {
  await sandbox.ok(["network", "create", "gone"]);
  await sandbox.ok(["create", "--name", "lost", "--network", "gone", "busybox", "true"]);
  await sandbox.ok(["network", "rm", "gone"]);
  const outcome = await sandbox.call(["start", "lost"]);
  assert.equal(outcome.code, 1);
  assert.match(outcome.stderr, /failed to set up container networking: network gone not found/);
});

test("system prune takes networks and anonymous volumes that nobody uses, and says which", { skip }, async () => {
  await sandbox.ok(["network", "create", "unused"]);
  await sandbox.ok(["network", "create", "used"]);
  const volume = (await sandbox.ok(["volume", "create"])).trim();
  await sandbox.ok(["run", "-d", "--name", "user", "--network", "used", "busybox", "sleep", "1000"]);
  const pruned = await sandbox.ok(["system", "prune", "-f", "--volumes"]);
  assert.match(pruned, new RegExp(`^Deleted Volumes:\n${volume}\n\nDeleted Networks:\nunused\n\n`, "m"));
  assert.match(await sandbox.ok(["network", "ls", "--format", "{{.Name}}"]), /^used$/m);
  const refused = await sandbox.call(["system", "prune", "-f", "--volumes", "--filter", "until=1h"]);
  assert.deepEqual([refused.code, refused.stderr], [1, 'ERROR: The "until" filter is not supported with "--volumes"\n']);
  await sandbox.ok(["rm", "-f", "user"]);
});
