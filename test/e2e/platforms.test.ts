/** Builds for several platforms. No emulator is needed: where a foreign program would run, either outcome is known beforehand. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, describe, test } from "node:test";
import { formatPlatform, hostPlatform } from "../../src/oci/index.ts";
import { exitingProgram, probedArchitectures, probeExitCode } from "../../src/runtime/elf.ts";
import { canRun } from "../../src/runtime/emulation.ts";
import { startRegistry } from "../../src/testing/index.ts";
import { createSandbox } from "./sandbox.ts";

const sandbox = await createSandbox();
after(() => sandbox[Symbol.asyncDispose]());

const host = formatPlatform(hostPlatform());
const foreign = host === "linux/s390x" ? "linux/riscv64" : "linux/s390x";
const third = "linux/arm/v7";
const several = `${host},${foreign}`;
const place = (name: string): string => path.join(sandbox.directory, name);
const member = (file: string, name: string): string => execFileSync("tar", ["-xOf", file, name], { encoding: "utf8" });

const dockerfile = `FROM --platform=$BUILDPLATFORM busybox AS make
RUN date >/once
ARG TARGETPLATFORM
RUN echo "$TARGETPLATFORM" >/what
FROM scratch
ARG TARGETPLATFORM TARGETOS TARGETARCH TARGETVARIANT BUILDPLATFORM
COPY --from=make /once /what /
COPY c /c-$TARGETARCH$TARGETVARIANT
LABEL for="$TARGETPLATFORM $TARGETOS $TARGETARCH [$TARGETVARIANT] on $BUILDPLATFORM"
`;
const context = sandbox.folder({ Dockerfile: dockerfile, c: "context" });
const build = (...words: readonly string[]): Promise<string> => sandbox.ok(["build", "-q", ...words, context]);

interface Document {
  readonly mediaType: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly manifests: readonly {
    readonly mediaType: string;
    readonly digest: string;
    readonly size: number;
    readonly platform?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  }[];
}

test("steps are named after their platform; what platforms share runs once", async () => {
  const { code, stderr } = await sandbox.call(["build", "--progress=plain", "--no-cache", "--platform", host, "--platform", `${foreign},${third}`, context]);
  assert.equal(code, 0, stderr);
  const steps = new Set([...stderr.matchAll(/^#\d+ (\[linux.*)$/gm)].map((match) => match[1] ?? ""));
  const foreignArch = foreign.slice("linux/".length);
  for (const step of [
    `[${host} internal] load metadata for docker.io/library/busybox:latest`,
    `[${host} make 2/3] RUN date >/once`,
    `[${host}->${foreignArch} make 3/3] RUN echo "${foreign}" >/what`,
    `[${host}->arm/v7 make 3/3] RUN echo "${third}" >/what`,
    `[${foreign} stage-1 1/2] COPY --from=make /once /what /`,
    `[${third} stage-1 2/2] COPY c /c-armv7`,
  ])
    assert.ok(
      [...steps].some((name) => name === step || (step.includes("RUN echo") && name.startsWith(step.slice(0, step.indexOf("RUN"))))),
      `${step} in\n${[...steps].join("\n")}`,
    );
  assert.equal([...steps].filter((name) => name.endsWith("RUN date >/once")).length, 1);
  const again = await sandbox.call(["build", "--progress=plain", "--platform", several, context]);
  assert.doesNotMatch(again.stderr, /not cached/);
});

test("the store has one image under one name, and each command picks its platform", async () => {
  const iid = place("iid");
  const metadata = place("metadata.json");
  const id = await build("--platform", `${several},${third}`, "-t", "multi:1", "-t", "multi:2", "--iidfile", iid, "--metadata-file", metadata);
  assert.equal(readFileSync(iid, "utf8"), id);
  const held = JSON.parse(readFileSync(metadata, "utf8")) as Readonly<Record<string, unknown>>;
  assert.deepEqual([held["containerimage.digest"], held["image.name"]], [id, "docker.io/library/multi:1,docker.io/library/multi:2"]);
  assert.equal(await sandbox.ok(["images", "-q", "--no-trunc", "multi"]), `${id}\n${id}`);
  const label = (...words: readonly string[]): Promise<string> => sandbox.ok(["image", "inspect", "-f", "{{.Config.Labels.for}}", ...words]);
  const arch = host.slice("linux/".length);
  assert.equal(await label("multi:1"), `${host} linux ${arch} [] on ${host}`);
  assert.equal(await label("--platform", third, "multi:2"), `${third} linux arm [v7] on ${host}`);
  assert.match(await sandbox.ok(["history", "--no-trunc", "--platform", third, "multi:1"]), /COPY c \/c-armv7/);
  const tree = await sandbox.ok(["image", "ls", "--tree", "multi"]);
  for (const platform of [host, foreign, third]) assert.match(tree, new RegExp(`─ ${platform} `));
  const missing = await sandbox.call(["image", "inspect", "--platform", "linux/mips64le", "multi:1"]);
  assert.match(missing.stderr, new RegExp(`does not provide the specified platform \\(linux/mips64le\\): it has ${host}, ${foreign}, ${third}`));
  const removed = await sandbox.ok(["rmi", "multi:1", "multi:2"]);
  assert.equal(removed, `Untagged: multi:1\nUntagged: multi:2\nDeleted: ${id}`);
});

test("an index is a base for each of its platforms; one that it lacks is told with those it has", async () => {
  await build("--platform", several, "-t", "base:multi");
  const id = await sandbox.build("FROM base:multi\nARG TARGETARCH\nLABEL as=$TARGETARCH\n", {}, ["--platform", several, "-t", "sub"]);
  const layers = (...words: readonly string[]): Promise<string> => sandbox.ok(["image", "inspect", "-f", "{{.Architecture}} {{.RootFS.Layers}}", ...words]);
  for (const platform of [host, foreign]) assert.equal(await layers("--platform", platform, "sub"), await layers("--platform", platform, "base:multi"));
  assert.equal(await layers(id), await layers("--platform", host, id));
  const { code, stderr } = await sandbox.buildPlain("FROM base:multi\n", {}, ["--platform", `${host},linux/mips64le`]);
  assert.equal(code, 1);
  assert.match(stderr, /base:multi: failed to resolve source metadata for docker\.io\/library\/base:multi: no match for platform in manifest: not found/);
  assert.match(stderr, new RegExp(`Hint: the image that is here has ${host}, ${foreign}`));
});

test("a base that is here for other platforms only", async () => {
  const { stderr } = await sandbox.buildPlain("FROM busybox\n", {}, ["--platform", foreign]);
  assert.match(stderr, /failed to resolve source metadata for docker\.io\/library\/busybox:latest/);
  assert.match(stderr, new RegExp(`Hint: the image that is here has ${host}`));
});

test("save and load carry every platform, or one", async () => {
  const id = await build("--platform", several, "-t", "carried", "--annotation", "index:note=kept");
  await sandbox.ok(["save", "-o", place("all.tar"), "carried"]);
  await sandbox.ok(["save", "--platform", foreign, "-o", place("one.tar"), "carried"]);
  await using other = await createSandbox({ base: false });
  assert.equal(await other.ok(["load", "-i", place("all.tar")]), "Loaded image: carried:latest");
  assert.equal(await other.ok(["images", "-q", "--no-trunc"]), id);
  const architecture = (...words: readonly string[]): Promise<string> => other.ok(["image", "inspect", "-f", "{{.Os}}/{{.Architecture}}", ...words]);
  assert.equal(await architecture("carried"), host);
  assert.equal(await architecture("--platform", foreign, "carried"), foreign);
  await other.ok(["save", "-o", path.join(other.directory, "again.tar"), "carried"]);
  assert.deepEqual(readFileSync(path.join(other.directory, "again.tar")), readFileSync(place("all.tar")));
  await other.ok(["rmi", "carried"]);
  await other.ok(["load", "-i", place("one.tar")]);
  assert.equal(await architecture("carried"), foreign);
  await other.ok(["load", "--platform", host, "-i", place("all.tar")]);
  assert.equal(await architecture("carried"), host);
});

describe("outputs", () => {
  test("type=oci: an index with a manifest for each platform, and annotations where they belong", async () => {
    const dest = place("oci.tar");
    const metadata = place("oci.json");
    const annotated = ["index:i=1", "m=2", "manifest-descriptor:d=3", `manifest[${foreign}]:only=4`, "index-descriptor:x=5"].flatMap((text) => [
      "--annotation",
      text,
    ]);
    const iid = await build("--platform", several, "-o", `type=oci,dest=${dest},name=named:1`, "--metadata-file", metadata, ...annotated);
    const blob = (digest: string): string => member(dest, `blobs/${digest.replace(":", "/")}`);
    const top = JSON.parse(member(dest, "index.json")) as Document;
    const [entry, ...others] = top.manifests;
    assert.deepEqual(others, []);
    assert.deepEqual(entry?.annotations, {
      "io.containerd.image.name": "docker.io/library/named:1",
      "org.opencontainers.image.ref.name": "1",
      x: "5",
    });
    assert.equal(entry.digest, iid);
    const index = JSON.parse(blob(entry.digest)) as Document;
    assert.deepEqual([index.mediaType, index.annotations], ["application/vnd.oci.image.index.v1+json", { i: "1" }]);
    assert.deepEqual(
      index.manifests.map(({ platform, annotations }) => [`${platform?.["os"]}/${platform?.["architecture"]}`, annotations]),
      [host, foreign].map((platform) => [platform, { d: "3" }]),
    );
    assert.deepEqual(
      index.manifests.map(({ digest, size }) => [blob(digest).length === size, (JSON.parse(blob(digest)) as Document).annotations]),
      [
        [true, { m: "2" }],
        [true, { m: "2", only: "4" }],
      ],
    );
    const held = JSON.parse(readFileSync(metadata, "utf8")) as Readonly<Record<string, unknown>>;
    const { [`buildx.build.provenance/${host}`]: own, [`buildx.build.provenance/${foreign}`]: other, ...rest } = held;
    assert.deepEqual([typeof own, typeof other], ["object", "object"]);
    assert.deepEqual(rest, {
      "containerimage.descriptor": { mediaType: entry.mediaType, digest: entry.digest, size: entry.size, annotations: { x: "5" } },
      "containerimage.digest": entry.digest,
      "image.name": "docker.io/library/named:1",
    });
    await build("--platform", several, "-o", `type=oci,dest=${place("layout")},tar=false`);
    assert.equal((JSON.parse(readFileSync(place("layout/index.json"), "utf8")) as Document).manifests.length, 1);
    assert.equal(
      await sandbox.build("FROM from\nCOPY --from=from /what /w\n", {}, [
        "--platform",
        several,
        "--build-context",
        `from=oci-layout://${place("layout")}`,
        "-o",
        place("from"),
      ]),
      "",
    );
    for (const platform of [host, foreign]) assert.equal(readFileSync(place(`from/${platform.replaceAll("/", "_")}/w`), "utf8"), `${platform}\n`);
  });

  test("type=docker refuses more than one platform", async () => {
    const { code, stderr } = await sandbox.call(["build", "--platform", several, "-o", `type=docker,dest=${place("d.tar")}`, context]);
    assert.equal(code, 1);
    assert.match(stderr, /docker exporter does not support exporting manifest lists, use the oci exporter instead/);
    assert.equal(existsSync(place("d.tar")), false);
  });

  test("type=local and type=tar: a directory for each platform", async () => {
    await build("--platform", `${host},${third}`, "-o", place("local"));
    assert.deepEqual(readdirSync(place("local")).toSorted(), [host.replaceAll("/", "_"), "linux_arm_v7"].toSorted());
    assert.equal(readFileSync(place("local/linux_arm_v7/what"), "utf8"), `${third}\n`);
    await build("--platform", `${host},${third}`, "-o", `type=tar,dest=${place("multi.tar")}`);
    assert.equal(member(place("multi.tar"), "linux_arm_v7/what"), `${third}\n`);
    assert.equal(member(place("multi.tar"), `${host.replaceAll("/", "_")}/what`), `${host}\n`);
  });

  test("platform-split says otherwise", async () => {
    await build("--platform", third, "-o", place("flat"));
    assert.ok(existsSync(place("flat/what")));
    await build("--platform", third, "-o", `type=local,dest=${place("split")},platform-split=true`);
    assert.deepEqual(readdirSync(place("split")), ["linux_arm_v7"]);
    const { stderr } = await sandbox.call(["build", "--platform", `${host},${third}`, "-o", `type=local,dest=${place("mixed")},platform-split=false`, context]);
    assert.match(stderr, new RegExp(`cannot overwrite once from ${host} with ${third} when split option is disabled`));
    assert.equal(existsSync(place("mixed")), false);
  });
});

test("what is no platform, and one that is named twice", async () => {
  for (const [word, message] of [
    ["nope", '"nope": unknown operating system or architecture: invalid argument'],
    ["linux/a/b/c", '"linux/a/b/c": cannot parse platform specifier: invalid argument'],
  ] as const) {
    const { code, stderr } = await sandbox.call(["build", "--platform", word, context]);
    assert.equal(code, 1);
    assert.ok(stderr.includes(message), stderr);
  }
  const { stderr } = await sandbox.call(["build", "--progress=plain", "--platform", `${foreign},${foreign}`, context]);
  assert.match(stderr, new RegExp(`Duplicate platform result requested "${foreign}"`));
});

describe("programs of other machines", async () => {
  const others = probedArchitectures.filter((architecture) => `linux/${architecture}` !== host);
  const answers = await Promise.all(others.map(async (architecture) => [architecture, await canRun(architecture, sandbox.directory)] as const));
  const absent = answers.find(([, answer]) => answer === "no")?.[0];
  const present = answers.find(([, answer]) => answer === "yes")?.[0];
  const contextFor = (architecture: string): string => {
    const dockerfileOf = 'FROM scratch AS base\nCOPY p /p\nCMD ["/p"]\nFROM base\nRUN ["/p"]\n';
    const folder = sandbox.folder({ Dockerfile: dockerfileOf, p: { text: "", mode: 0o755 } });
    writeFileSync(path.join(folder, "p"), exitingProgram(architecture) ?? "");
    return folder;
  };

  test(
    "without an emulator: refused before they start, with the command that mends it",
    { skip: absent === undefined && "every architecture runs here" },
    async () => {
      const files = contextFor(absent ?? "");
      const refused = new RegExp(`exec /p: exec format error: it is a program for linux/${absent}\\S*; this machine is ${host} and has no emulator for it`);
      const { code, stderr } = await sandbox.call(["build", "--progress=plain", "--platform", `linux/${absent}`, files]);
      assert.equal(code, 1);
      assert.match(stderr, refused);
      assert.match(stderr, /^Hint: (?:apt-get install -y qemu-user-static binfmt-support|update-binfmts --enable)$/m);
      await sandbox.ok(["build", "-q", "--platform", `linux/${absent}`, "--target", "base", "-t", "foreign", files]);
      const run = await sandbox.call(["run", "--rm", "--platform", `linux/${absent}`, "foreign"]);
      assert.equal(run.code, 125);
      assert.match(run.stderr, refused);
      const warned = await sandbox.call(["run", "--rm", "foreign"]);
      assert.match(
        warned.stderr,
        new RegExp(`^WARNING: The requested image's platform \\(linux/${absent}\\S*\\) does not match the detected host platform \\(${host}\\)`),
      );
      assert.equal(await sandbox.ok(["ps", "-aq"]), "");
    },
  );

  test("where one runs them, they run", { skip: present === undefined && "no other architecture runs here" }, async () => {
    const files = contextFor(present ?? "");
    const { stderr } = await sandbox.call(["build", "--progress=plain", "--platform", `linux/${present}`, files]);
    assert.match(stderr, new RegExp(`did not complete successfully: exit code: ${probeExitCode}`));
    await sandbox.ok(["build", "-q", "--platform", `linux/${present}`, "--target", "base", "-t", "runs", files]);
    const run = await sandbox.call(["run", "--rm", "--platform", `linux/${present}`, "runs"]);
    assert.equal(run.code, probeExitCode);
    assert.match(await sandbox.ok(["doctor"]), new RegExp(`RUN works for .*linux/${present}`));
  });
});

test("--check looks at the machine's own platform, whatever --platform says, as Docker does", async () => {
  const folder = sandbox.folder({ Dockerfile: "FROM busybox\nENV A=1\n" });
  const { code, stdout } = await sandbox.call(["build", "--check", "--platform", foreign, folder]);
  assert.deepEqual([code, stdout.trim()], [0, "Check complete, no warnings found."]);
});

test("a container of another platform than the registry has the image for is refused", async () => {
  await using registry = await startRegistry();
  const name = `${registry.host}/only:1`;
  await sandbox.build("FROM busybox\nRUN true\n", {}, ["-t", name]);
  await sandbox.ok(["push", "-q", name]);
  await sandbox.ok(["rmi", name]);
  for (const [command, code] of [
    ["run", 125],
    ["create", 1],
  ] as const) {
    const refused = await sandbox.call([command, "--platform", foreign, name, "true"]);
    assert.equal(refused.code, code, refused.stderr);
    assert.match(refused.stderr, new RegExp(`was found but does not provide the specified platform \\(${foreign}\\)`));
  }
});
