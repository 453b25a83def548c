import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";
import { nodeAt } from "../../store/directory-view.ts";
import { readCheckout } from "./checkout.ts";
import { readRecord } from "./checkout-record.ts";

const hasNoGit = spawnSync("git", ["--version"]).error !== undefined;
const root = mkdtempSync(join(tmpdir(), "slipway-checkout-"));
after(() => rmSync(root, { recursive: true }));

let made = 0;
function place(): string {
  const directory = join(root, String(++made));
  mkdirSync(directory);
  return directory;
}

function git(directory: string, seconds: number, ...words: readonly string[]): string {
  const date = `@${seconds} +0000`;
  const env = { ...process.env, GIT_COMMITTER_DATE: date, GIT_AUTHOR_DATE: date, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" };
  const settings = ["-c", "user.name=t", "-c", "user.email=t@example.test", "-c", "protocol.file.allow=always"];
  return execFileSync("git", ["-C", directory, ...settings, ...words], { env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

function write(directory: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
}

function commit(directory: string, seconds: number, files: Readonly<Record<string, string>> = {}): void {
  write(directory, files);
  git(directory, seconds, "add", "-A");
  git(directory, seconds, "commit", "-qm", "c", "--allow-empty");
}

/** Seconds of each path, as a build would have them; `record`: where the answers are kept. */
async function timesOf(top: string, paths: readonly string[], { below = "", record = join(root, `record-${++made}`) } = {}): Promise<readonly unknown[]> {
  const directory = join(top, below);
  const recordOf = (place: string): string => (place === directory ? record : `${record}-${Buffer.from(place).toString("hex")}`);
  const request = { directory, checkout: directory, recordOf, temporaryPath: () => `${record}.new` };
  const settled = (await readCheckout({ ...request, signal: AbortSignal.timeout(60_000) }))?.settled((path) => path === "ignored");
  return paths.map((path) => {
    const node = nodeAt(join(directory, path));
    return node === undefined ? "missing" : settled?.secondsOf(path, node);
  });
}

describe("a checkout", { skip: hasNoGit ? "git is not installed" : false }, () => {
  for (const format of ["sha1", "sha256"]) {
    test(`odd names, links, empty files, directories, touched and not (${format})`, async () => {
      const directory = place();
      git(directory, 1, "init", "-q", "-b", "main", `--object-format=${format}`);
      symlinkSync("a b", join(directory, "link"));
      commit(directory, 1000, { "a b": "1", "d/new\nline": "2", "d/e/empty": "", ütf: "3", ignored: "4" });
      commit(directory, 2000, { "d/e/empty2": "", ignored: "5" });
      const paths = ["a b", "d/new\nline", "d/e/empty", "d/e/empty2", "ütf", "link", "d", "d/e", "", "ignored"];
      const want = [1000, 1000, 1000, 2000, 1000, 1000, 2000, 2000, 2000, 2000];
      assert.deepEqual(await timesOf(directory, paths), want);
      for (const path of paths) if (path !== "link" && nodeAt(join(directory, path))?.type === "file") utimesSync(join(directory, path), 5, 5);
      assert.deepEqual(await timesOf(directory, paths), want);
      assert.deepEqual(await timesOf(directory, ["new\nline", "e/empty2", "e", ""], { below: "d" }), [1000, 2000, 2000, 2000]);
    });
  }

  test("what is not as the commit has it", async () => {
    const directory = place();
    git(directory, 1, "init", "-q", "-b", "main");
    commit(directory, 1000, { changed: "1", same: "1", staged: "1", unstaged: "1", mode: "1", script: "1", kind: "1", gone: "1" });
    write(directory, { changed: "2", staged: "2", untracked: "2", "sub/untracked": "2" });
    git(directory, 1, "add", "staged");
    git(directory, 1, "rm", "-q", "--cached", "unstaged");
    chmodSync(join(directory, "mode"), 0o600);
    chmodSync(join(directory, "script"), 0o755);
    rmSync(join(directory, "kind"));
    symlinkSync("same", join(directory, "kind"));
    rmSync(join(directory, "gone"));
    const paths = ["changed", "same", "staged", "unstaged", "mode", "script", "kind", "gone", "untracked", "sub", "sub/untracked"];
    const no = undefined;
    assert.deepEqual(await timesOf(directory, paths), [no, 1000, no, no, no, no, no, "missing", no, no, no]);
  });

  test("modes of another umask are a checkout's if its .git has them", async () => {
    const origin = place();
    git(origin, 1, "init", "-q", "-b", "main");
    commit(origin, 1000, { "d/f": "1" });
    const directory = join(root, "umask");
    execFileSync("sh", ["-c", 'umask 027; exec git clone -q "$1" "$2"', "sh", origin, directory]);
    assert.deepEqual(await timesOf(directory, ["d", "d/f"]), [1000, 1000]);
    chmodSync(join(directory, "d"), 0o770);
    chmodSync(join(directory, "d/f"), 0o660);
    assert.deepEqual(await timesOf(directory, ["d", "d/f"]), [undefined, undefined]);
  });

  test("no commit, nothing of it here, no repository", async () => {
    const directory = place();
    git(directory, 1, "init", "-q", "-b", "main");
    write(directory, { f: "1", "other/g": "1" });
    assert.deepEqual(await timesOf(directory, ["f"]), [undefined]);
    git(directory, 1, "add", "f");
    commit(directory, 1000);
    git(directory, 1, "rm", "-rq", "--cached", "other");
    commit(directory, 1000);
    write(directory, { ".gitignore": "elsewhere\n", "elsewhere/f": "1" });
    assert.deepEqual(await timesOf(directory, ["f"], { below: "elsewhere" }), [undefined]);
    renameSync(join(directory, ".git/HEAD"), join(directory, ".git/HEAD.away"));
    assert.deepEqual(await timesOf(directory, ["f"]), [undefined]);
  });

  test("what an unfinished merge disputes has no time", async () => {
    const directory = place();
    git(directory, 1, "init", "-q", "-b", "main");
    commit(directory, 2000, { f: "1", g: "1" });
    git(directory, 1, "checkout", "-qb", "side");
    commit(directory, 4000, { f: "2" });
    git(directory, 1, "checkout", "-q", "main");
    commit(directory, 5000, { f: "3" });
    assert.throws(() => git(directory, 1, "merge", "side"));
    assert.deepEqual(await timesOf(directory, ["f", "g"]), [undefined, 2000]);
  });

  test("a submodule's files have their times in its own history, as long as it is at the commit that is asked for", async () => {
    const [library, origin] = [place(), place()];
    for (const each of [library, origin]) git(each, 1, "init", "-q", "-b", "main");
    commit(library, 1000, { f: "1", "d/old": "1" });
    commit(library, 8000, { f: "2" });
    commit(origin, 2000, { "vendor/own": "1" });
    git(origin, 1, "submodule", "add", "-q", library, "vendor/lib");
    commit(origin, 9000);
    const directory = join(root, "with-submodule");
    execFileSync("sh", ["-c", 'umask 077; exec git -c protocol.file.allow=always clone -q --recurse-submodules "$1" "$2"', "sh", origin, directory]);
    const paths = ["vendor/lib/f", "vendor/lib/d/old", "vendor/lib/d", "vendor/lib", "vendor/own", "vendor", "vendor/lib/.git"];
    assert.deepEqual(await timesOf(directory, paths), [8000, 1000, 1000, 8000, 2000, 8000, 8000]);
    git(join(directory, "vendor/lib"), 1, "checkout", "-q", "HEAD~1");
    assert.deepEqual(await timesOf(directory, paths), [undefined, undefined, undefined, undefined, 2000, 2000, undefined]);
  });

  test("a work tree of its own", async () => {
    const origin = place();
    git(origin, 1, "init", "-q", "-b", "main");
    commit(origin, 1000, { "d/f": "1" });
    const directory = join(root, "work-tree");
    execFileSync("sh", ["-c", 'umask 007; exec git -C "$1" worktree add -q "$2"', "sh", origin, directory]);
    assert.deepEqual(await timesOf(directory, ["d/f", "d"]), [1000, 1000]);
  });

  test("what was learned before and what is learned anew are the same, whatever happened in between", async () => {
    const directory = place();
    git(directory, 1, "init", "-q", "-b", "main");
    commit(directory, 1000, { start: "1" });
    const paths = ["start", "a", "b", "c", "d/e", "d"];
    const record = join(root, "kept");
    let state = 7;
    const random = (below: number): number => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) % below;
    for (let step = 1; step <= 24; step++) {
      const seconds = 1000 + step * 10;
      const file = paths[1 + random(4)] ?? "a";
      const branches = git(directory, 1, "branch", "--format=%(refname:short)").trim().split("\n");
      switch (random(6)) {
        case 0:
          git(directory, 1, "checkout", "-qb", `branch-${step}`);
          break;
        case 1:
          git(directory, 1, "checkout", "-q", branches[random(branches.length)] ?? "main");
          break;
        case 2:
          git(directory, seconds, "merge", "-q", "--no-edit", "-X", "ours", branches[random(branches.length)] ?? "main");
          break;
        case 3:
          if (existsSync(join(directory, file))) rmSync(join(directory, file));
          commit(directory, seconds);
          break;
        default:
          commit(directory, seconds, { [file]: String(random(3)) });
      }
      if (random(2) === 0) assert.deepEqual(await timesOf(directory, paths, { record }), await timesOf(directory, paths), `step ${step}`);
    }
    // and it was kept indeed
    assert.equal(readRecord(record)?.head.length, 40);
  });

  test("a record that is cut off or of another version counts as none", async () => {
    const directory = place();
    git(directory, 1, "init", "-q", "-b", "main");
    commit(directory, 1000, { f: "1" });
    const record = join(root, "damaged");
    await timesOf(directory, ["f"], { record });
    for (const text of ["", "slipway-checkout 1\0", "slipway-checkout 0\0a\0whole\0b\0f\x005\0end", "\0\0\0"]) {
      writeFileSync(record, text);
      assert.deepEqual(await timesOf(directory, ["f"], { record }), [1000]);
    }
  });
});
