/** --output in each of its types, read back with the system's own tar and plain JSON. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, lstatSync, readFileSync, readlinkSync, statSync, symlinkSync } from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { createSandbox } from "./sandbox.ts";

const sandbox = await createSandbox();
after(() => sandbox[Symbol.asyncDispose]());

const dockerfile = `FROM busybox AS make
RUN mkdir -p /out/d && echo one >/out/d/one && ln -s one /out/d/link && chmod 750 /out/d/one
FROM scratch
COPY --from=make /out /
COPY c /c
`;
const context = sandbox.folder({ Dockerfile: dockerfile, c: "context" });
const place = (name: string): string => path.join(sandbox.directory, name);
const list = (file: string): readonly string[] => execFileSync("tar", ["-tf", file], { encoding: "utf8" }).trim().split("\n");
const member = (file: string, name: string): string => execFileSync("tar", ["-xOf", file, name], { encoding: "utf8", maxBuffer: 1 << 26 });

for (const [name, flag] of [
  ["type=local", (dest: string) => `type=local,dest=${dest}`],
  ["the short form -o DIR", (dest: string) => dest],
] as const) {
  test(`${name} writes the files`, async () => {
    const dest = place(`local-${name.length}`);
    await sandbox.ok(["build", "-q", "-o", flag(dest), context]);
    assert.equal(readFileSync(path.join(dest, "d/one"), "utf8"), "one\n");
    assert.equal(readlinkSync(path.join(dest, "d/link")), "one");
    assert.equal(statSync(path.join(dest, "d/one")).mode & 0o777, 0o750);
    assert.equal(readFileSync(path.join(dest, "c"), "utf8"), "context");
  });
}

test("type=tar writes one archive, dest=- gives it on standard output", async () => {
  const dest = place("out.tar");
  await sandbox.ok(["build", "-q", "-o", `type=tar,dest=${dest}`, context]);
  assert.deepEqual(
    list(dest)
      .map((name) => name.replace(/^\.\//, ""))
      .toSorted(),
    ["c", "d/", "d/link", "d/one"],
  );
  const streamed = await sandbox.call(["build", "-q", "-o", "-", context]);
  assert.equal(streamed.code, 0, streamed.stderr);
  assert.equal(execFileSync("tar", ["-xOf", "-", "c"], { input: streamed.stdoutBytes, encoding: "utf8" }), "context");
});

test("type=docker is an archive with the name, and loads again", async () => {
  const dest = place("docker.tar");
  await sandbox.ok(["build", "-q", "-t", "out:docker", "-o", `type=docker,dest=${dest}`, context]);
  const [image] = JSON.parse(member(dest, "manifest.json")) as readonly [{ readonly RepoTags: readonly string[]; readonly Layers: readonly string[] }];
  assert.deepEqual(image.RepoTags, ["out:docker"]);
  assert.equal(image.Layers.length, 2);
  await using other = await createSandbox({ base: false });
  assert.equal(await other.ok(["load", "-i", dest]), "Loaded image: out:docker");
});

interface Index {
  readonly manifests: readonly { readonly digest: string; readonly size: number; readonly mediaType: string }[];
}

test("type=oci is a layout in which every descriptor is true", async () => {
  const dest = place("oci.tar");
  await sandbox.ok(["build", "-q", "-t", "out:oci", "-o", `type=oci,dest=${dest}`, context]);
  const index = JSON.parse(member(dest, "index.json")) as Index;
  const blob = (digest: string): string => member(dest, `blobs/${digest.replace(":", "/")}`);
  const manifest = JSON.parse(blob(index.manifests[0]?.digest ?? "")) as { readonly config: Index["manifests"][number]; readonly layers: Index["manifests"] };
  assert.equal(manifest.layers.length, 2);
  for (const descriptor of [...index.manifests, manifest.config, ...manifest.layers]) {
    const bytes = execFileSync("tar", ["-xOf", dest, `blobs/${descriptor.digest.replace(":", "/")}`], { maxBuffer: 1 << 26 });
    assert.deepEqual([bytes.length, `sha256:${createHash("sha256").update(bytes).digest("hex")}`], [descriptor.size, descriptor.digest]);
  }
});

test("type=oci,tar=false is a folder", async () => {
  const dest = place("layout");
  await sandbox.ok(["build", "-q", "-o", `type=oci,tar=false,dest=${dest}`, context]);
  assert.ok(existsSync(path.join(dest, "oci-layout")) && lstatSync(path.join(dest, "blobs/sha256")).isDirectory());
  // what else lies there is no part of it
  symlinkSync("..", path.join(dest, "blobs/up"));
  symlinkSync("nowhere", path.join(dest, "dangling"));
  const copied = await sandbox.buildPlain('FROM busybox\nCOPY --from=lay /c /c\nRUN test "$(cat /c)" = context', {}, [
    "--build-context",
    `lay=oci-layout://${dest}`,
  ]);
  assert.equal(copied.code, 0, copied.stderr);
});

test("several outputs of one build", async () => {
  await sandbox.ok(["build", "-q", "-o", place("many"), "-o", `type=tar,dest=${place("many.tar")}`, context]);
  assert.ok(existsSync(place("many/c")) && existsSync(place("many.tar")));
});

const refusals: readonly { readonly name: string; readonly output: string; readonly want: RegExp }[] = [
  { name: "unknown type", output: "type=nothing", want: /exporter "nothing" could not be found/ },
  { name: "local without dest", output: "type=local", want: /dest is required for local exporter/ },
  { name: "a word without value", output: "a,b", want: /invalid value a/ },
];
for (const { name, output, want } of refusals) {
  test(`refuses an output: ${name}`, async () => {
    const outcome = await sandbox.call(["build", "-o", output, context]);
    assert.equal(outcome.code, 1);
    assert.match(outcome.stderr, want);
  });
}
