/** A base to run things in, made of this machine's static busybox, so that the examples need no registry. */
import { execFileSync } from "node:child_process";
import { copyFileSync, createReadStream, mkdirSync, symlinkSync } from "node:fs";
import path from "node:path";
import type { Workplace } from "./store.ts";

/** Imports it and answers its name. */
export async function createBase(workplace: Workplace): Promise<string> {
  const root = path.join(workplace.directory, "base");
  mkdirSync(path.join(root, "bin"), { recursive: true });
  copyFileSync(execFileSync("sh", ["-c", "command -v busybox"], { encoding: "utf8" }).trim(), path.join(root, "bin/busybox"));
  for (const name of ["sh", "echo", "sleep", "wc", "cat"]) symlinkSync("busybox", path.join(root, "bin", name));
  const tar = path.join(workplace.directory, "base.tar");
  execFileSync("tar", ["-C", root, "--owner=0", "--group=0", "-cf", tar, "."]);
  await workplace.slipway.images.import(createReadStream(tar), { reference: "base" });
  return "base";
}
