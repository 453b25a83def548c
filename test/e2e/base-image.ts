/** The smallest useful base: the machine's static busybox with its applets, as a tar made once per process. */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync, chmodSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { applets } from "./applets.ts";

const passwd = "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\nnobody:x:65534:65534:nobody:/home:/bin/false\n";
const group = "root:x:0:\ndaemon:x:1:\nusers:x:100:\nnogroup:x:65534:\n";

let made: string | undefined;

/** Where the static busybox lies, or undefined when this machine has none: then nothing of this suite can run. */
export function findBusybox(): string | undefined {
  try {
    return execFileSync("sh", ["-c", "command -v busybox"], { encoding: "utf8", env: { PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` } }).trim();
  } catch {
    return undefined;
  }
}

/** The path of the tar; it is removed when the process ends. */
export function makeBaseTar(): string {
  if (made !== undefined) return made;
  const busybox = findBusybox();
  if (busybox === undefined) throw new Error("no busybox on this machine: install the package busybox-static");
  const work = mkdtempSync(path.join(tmpdir(), "slipway-base-"));
  process.once("exit", () => rmSync(work, { recursive: true, force: true }));
  const root = path.join(work, "root");
  for (const folder of ["bin", "etc", "root", "home", "tmp", "usr/bin", "usr/sbin", "var"]) mkdirSync(path.join(root, folder), { recursive: true });
  chmodSync(path.join(root, "tmp"), 0o1777);
  copyFileSync(busybox, path.join(root, "bin/busybox"));
  for (const applet of applets) symlinkSync("busybox", path.join(root, "bin", applet));
  writeFileSync(path.join(root, "etc/passwd"), passwd);
  writeFileSync(path.join(root, "etc/group"), group);
  made = path.join(work, "base.tar");
  execFileSync("tar", ["-C", root, "--owner=0", "--group=0", "--numeric-owner", "--sort=name", "--mtime=@0", "-cf", made, "."]);
  chmodSync(work, 0o755);
  return made;
}
