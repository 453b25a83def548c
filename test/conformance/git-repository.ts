/** A git section as a bare repository whose commits are the same everywhere. */
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { FileSpec } from "./case-file.ts";
import { parseMember } from "./write-tar.ts";

const identity = "A <a@example.test> 1000000000 +0000";
const data = (content: Buffer): Buffer => Buffer.concat([Buffer.from(`data ${content.length}\n`), content, Buffer.from("\n")]);

/**
 * Lines are members as in a tar section, up to `commit BRANCH`, which commits them upon what the former commit held; `tag NAME`
 * and `annotated NAME` name the commit before. HEAD is the branch main.
 */
export function createRepository(directory: string, spec: FileSpec): void {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  git(directory, ["init", "-q", "--bare", "-b", "main"], Buffer.alloc(0));
  writeFileSync(path.join(directory, "config"), "[core]\n\trepositoryformatversion = 0\n\tbare = true\n[uploadpack]\n\tallowAnySHA1InWant = true\n");
  git(directory, ["fast-import", "--quiet"], streamOf(spec));
  git(directory, ["update-server-info"], Buffer.alloc(0));
}

function git(directory: string, args: readonly string[], input: Buffer): void {
  const { status, stderr } = spawnSync("git", ["-C", directory, ...args], { input, env: { PATH: process.env["PATH"] ?? "", GIT_CONFIG_NOSYSTEM: "1" } });
  if (status !== 0) throw new Error(`git ${args.join(" ")}: ${stderr.toString()}`);
}

function streamOf(spec: FileSpec): Buffer {
  const out: Buffer[] = [];
  let changes: Buffer[] = [];
  let mark = 0;
  for (const line of spec.content.toString("latin1").split("\n")) {
    const [, word, name = ""] = /^(commit|tag|annotated) (\S+)$/.exec(line) ?? [];
    if (word === "commit") {
      mark += 1;
      const from = mark === 1 ? "" : `from :${mark - 1}\n`;
      const head = `commit refs/heads/${name}\nmark :${mark}\ncommitter ${identity}\n`;
      out.push(Buffer.from(head), data(Buffer.from(`commit ${mark}`)), Buffer.from(from), ...changes, Buffer.from("\n"));
      changes = [];
    } else if (word === "tag") out.push(Buffer.from(`reset refs/tags/${name}\nfrom :${mark}\n\n`));
    else if (word === "annotated") out.push(Buffer.from(`tag ${name}\nfrom :${mark}\ntagger ${identity}\n`), data(Buffer.from(name)));
    else if (line !== "") changes.push(changeOf(parseMember(line)));
  }
  return Buffer.concat(out);
}

function changeOf(spec: FileSpec): Buffer {
  const mode = spec.kind === "symlink" ? "120000" : (spec.mode ?? 0) & 0o100 ? "100755" : "100644";
  return Buffer.concat([
    Buffer.from(`M ${mode} inline ${spec.path}\n`, "latin1"),
    data(spec.kind === "symlink" ? Buffer.from(spec.target, "latin1") : spec.content),
  ]);
}
