import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { isSlipwayError } from "../base/errors.ts";
import { mountOverlay, probeOverlay } from "./overlay.ts";
import { hashDirectory } from "./pack.ts";
import { lListXattr } from "./syscalls.ts";

const scratch = mkdtempSync(join(tmpdir(), "slipway-overlay-"));
after(() => rmSync(scratch, { recursive: true }));
// One test runs as nobody.
chmodSync(scratch, 0o711);

const probe = probeOverlay(scratch);
const skip = probe.supported ? false : probe.reason;

/** Namespaces are a process's own for ever: each test works in a child. `directory` is the first argument; what it prints is returned. */
const prelude = `import * as overlay from ${JSON.stringify(import.meta.resolve("./overlay.ts"))};
import fs from "node:fs"; import { execFileSync } from "node:child_process"; import assert from "node:assert/strict";
const directory = process.argv[1]; const at = (name) => directory + "/" + name;
for (const name of ["lower", "lower2", "upper", "work", "target"]) fs.mkdirSync(at(name));\n`;

function freshDirectory(): string {
  return mkdtempSync(join(scratch, "t-"));
}

function inChild(script: string, directory = freshDirectory(), wrapper: readonly string[] = []): string {
  const args = [...wrapper, process.execPath, "--input-type=module", "-e", prelude + script, directory];
  const { stdout, stderr, status } = spawnSync("env", args, { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

test("the upper is a plain layer, visible to children, gone afterwards", { skip }, () => {
  const directory = freshDirectory();
  const out = inChild(
    `fs.mkdirSync(at("lower/dir")); fs.writeFileSync(at("lower/dir/f"), "lower"); fs.writeFileSync(at("lower/gone"), "x"); fs.writeFileSync(at("lower2/gone2"), "x");
    fs.writeFileSync(at("lower/top"), "upper one"); fs.writeFileSync(at("lower2/top"), "lower one");
    overlay.enterPrivateMountNamespace(); overlay.enterPrivateMountNamespace();
    overlay.mountOverlay({ lowers: [at("lower"), at("lower2")], upper: at("upper"), work: at("work"), target: at("target") });
    execFileSync("sh", ["-ec", 'cd "$1"; cat top dir/f; rm gone gone2; echo new > new; chmod 600 dir/f; mv dir moved; mkdir dir', "sh", at("target")], { stdio: "inherit" });
    console.log(fs.readdirSync(at("target")).sort().join());
    overlay.unmount(at("target")); overlay.unmount(at("target"));
    console.log(fs.readdirSync(at("target")).length);`,
    directory,
  );
  assert.deepEqual(out.split("\n"), ["upper onelowerdir,moved,new,top", "0"]);
  assert.ok(lstatSync(join(directory, "upper/gone")).isCharacterDevice());
  assert.deepEqual(
    lListXattr(join(directory, "upper/moved")).filter((name) => name.endsWith("redirect")),
    [],
  );
  const entries: string[] = [];
  hashDirectory({ directory: join(directory, "upper"), overlay: true, onEntry: ({ path }) => entries.push(path) });
  assert.deepEqual(entries, ["dir", "dir/.wh..wh..opq", ".wh.gone", ".wh.gone2", "moved", "moved/f", "new"]);
  assert.ok(!readFileSync("/proc/self/mountinfo", "utf8").includes(directory));
});

test("300 layers with long names", { skip }, () => {
  const out = inChild(`overlay.enterPrivateMountNamespace();
    const lowers = Array.from({ length: 300 }, (_, n) => at("layers/" + "x".repeat(64) + n + "/fs"));
    for (const [n, lower] of lowers.entries()) { fs.mkdirSync(lower, { recursive: true }); fs.writeFileSync(lower + "/f" + n, ""); fs.writeFileSync(lower + "/top", String(n)); }
    overlay.mountOverlay({ lowers, upper: at("upper"), work: at("work"), target: at("target"), volatile: true });
    console.log(fs.readdirSync(at("target")).length, fs.readFileSync(at("target/top"), "utf8"));
    overlay.unmount(at("target")); fs.rmSync(at("work"), { recursive: true }); fs.mkdirSync(at("work"));
    overlay.mountOverlayByOptions({ lowers, upper: at("upper"), work: at("work"), target: at("target") });
    console.log(fs.readdirSync(at("target")).length, fs.readFileSync(at("target/top"), "utf8"), process.cwd() === ${JSON.stringify(process.cwd())});`);
  assert.deepEqual(out.split("\n"), ["301 0", "301 0 true"]);
});

test("read-only views, bind and tmpfs mounts", { skip }, () => {
  const out =
    inChild(`overlay.enterPrivateMountNamespace(); const fails = (path) => { try { fs.writeFileSync(path, ""); return "writable"; } catch (error) { return error.code; } };
    fs.writeFileSync(at("lower/f"), "f"); fs.mkdirSync(at("bind"));
    overlay.mountOverlay({ lowers: [at("lower"), at("lower2")], target: at("target") });
    console.log("view", fails(at("target/x")));
    overlay.bindMount({ source: at("lower"), target: at("bind") }); console.log("bind", fails(at("bind/x"))); overlay.unmount(at("bind"));
    overlay.bindMount({ source: at("lower"), target: at("bind"), readonly: true, recursive: true }); console.log("read-only bind", fails(at("bind/x")), fails(at("lower/x")));
    overlay.bindMount({ source: at("lower/f"), target: at("lower/x"), readonly: true }); console.log("file", fs.readFileSync(at("lower/x"), "utf8"), fails(at("lower/x")));
    overlay.mountTmpfs({ target: at("upper"), sizeBytes: 1 << 20, mode: 0o700 });
    console.log("tmpfs", (fs.statSync(at("upper")).mode & 0o777).toString(8), fails(at("upper/x")));
    try { fs.writeFileSync(at("upper/big"), Buffer.alloc(2 << 20)); } catch (error) { console.log(error.code); }`);
  assert.deepEqual(out.split("\n"), ["view EROFS", "bind writable", "read-only bind EROFS writable", "file f EROFS", "tmpfs 700 writable", "ENOSPC"]);
});

for (const [name, prepare] of [
  ["a plain directory", ""],
  ["a mount", 'execFileSync("mount", ["--bind", directory, directory]);'],
] as const) {
  test(`in a chroot to ${name}: the namespace has its root there, and nothing is seen outside`, { skip: skip || process.getuid?.() !== 0 }, () => {
    const script = `const { chroot, enterMounts } = await import(${JSON.stringify(import.meta.resolve("./syscalls.ts"))});
      ${prepare} fs.writeFileSync(at("lower/f"), "f"); fs.mkdirSync(at("proc")); execFileSync("mount", ["--bind", "/proc", at("proc")]);
      const outside = () => fs.readFileSync("/proc/" + process.ppid + "/mountinfo", "utf8").split(directory).length;
      const before = outside(); overlay.probeOverlay(directory);
      chroot(directory); process.chdir("/lower"); overlay.enterPrivateMountNamespace(); console.log(process.cwd(), fs.readFileSync("f", "utf8"));
      overlay.mountOverlay({ lowers: ["/lower"], upper: "/upper", work: "/work", target: "/target" }); console.log(fs.readFileSync("/target/f", "utf8"), outside() - before);
      enterMounts(fs.openSync("/proc/self/ns/mnt")); console.log(fs.readdirSync("/").sort().join(), fs.readFileSync("/target/f", "utf8"));`;
    // shared, as the root is on most machines
    const wrapper = ["unshare", "--mount", "--propagation", "shared", "sh", "-c", '"$@"; exit', "sh"];
    assert.deepEqual(inChild(script, freshDirectory(), wrapper).split("\n"), ["/lower f", "f 0", "lower,lower2,proc,target,upper,work f"]);
  });
}

test("kill -9 leaves no mount", { skip }, async () => {
  const directory = freshDirectory();
  const script = `overlay.enterPrivateMountNamespace(); overlay.mountOverlay({ lowers: [at("lower")], upper: at("upper"), work: at("work"), target: at("target") });
    console.log(execFileSync("grep", ["-c", directory, "/proc/self/mountinfo"], { encoding: "utf8" }).trim()); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", prelude + script, directory], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await child.stdout.take(1).toArray()) as Buffer[];
  assert.equal(line?.toString().trim(), "1", "a spawned child sees the mount");
  assert.ok(!readFileSync("/proc/self/mountinfo", "utf8").includes(directory), "and this process does not");
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
  assert.deepEqual(readdirSync(join(directory, "target")), []);
  assert.throws(() => readFileSync(`/proc/${child.pid}/mountinfo`));
});

test("in a user namespace marks are user.* attributes", { skip }, (context) => {
  const wrapper = ["unshare", "--user", "--map-root-user", "--mount"];
  if (spawnSync("unshare", [...wrapper.slice(1), "true"]).status !== 0) return context.skip("user namespaces are not allowed");
  const directory = freshDirectory();
  const out = inChild(
    `console.log(JSON.stringify(overlay.probeOverlay(directory))); fs.mkdirSync(at("lower/d")); fs.writeFileSync(at("lower/d/f"), ""); overlay.enterPrivateMountNamespace();
    overlay.mountOverlay({ lowers: [at("lower")], upper: at("upper"), work: at("work"), target: at("target") });
    fs.rmSync(at("target/d"), { recursive: true }); fs.mkdirSync(at("target/d"));`,
    directory,
    wrapper,
  );
  assert.deepEqual(JSON.parse(out), { supported: true, userxattr: true });
  assert.deepEqual(lListXattr(join(directory, "upper/d")), ["user.overlay.opaque"]);
});

test("without rights the reason is said", { skip: skip || process.getuid?.() !== 0 }, () => {
  // what is loaded lazily is loaded while it may be read: nobody reads a checkout in root's home
  const out =
    inChild(`overlay.probeOverlay(directory); process.setgroups([]); for (const name of fs.readdirSync(directory)) fs.rmdirSync(at(name)); fs.chmodSync(directory, 0o777); process.setgid(65534); process.setuid(65534);
    try { overlay.enterPrivateMountNamespace(); } catch (error) { console.log(error.code); }
    const { supported, code, reason } = overlay.probeOverlay(directory); console.log(supported, code, /EPERM/.test(reason));`);
  assert.deepEqual(out.split("\n"), ["MOUNT_NAMESPACE_DENIED", "false MOUNT_DENIED true"]);
});

test("what cannot be mounted says why", { skip }, () => {
  const directory = freshDirectory();
  mkdirSync(join(directory, "lower"));
  writeFileSync(join(directory, "file"), "");
  const at = (name: string): string => join(directory, name);
  const cases: readonly (readonly [Parameters<typeof mountOverlay>[0], string, RegExp])[] = [
    [{ lowers: [at("none"), at("lower")], target: at("lower") }, "MOUNT_FAILED", /ENOENT/],
    [{ lowers: [at("file"), at("lower")], target: at("lower") }, "MOUNT_FAILED", /not a directory|ENOTDIR|EINVAL/],
    [{ lowers: [], target: at("lower") }, "INVALID_MOUNT", /one lower at least/],
    [{ lowers: ["relative"], target: at("lower") }, "INVALID_MOUNT", /absolute/],
    [{ lowers: [at("lower")], upper: at("lower"), target: at("lower") }, "INVALID_MOUNT", /together/],
  ];
  for (const [options, code, words] of cases)
    assert.throws(
      () => mountOverlay(options),
      (error) => isSlipwayError(error, code) && words.test(error.message),
      code,
    );
});
