/** Packages of images and the lines that brought them, from the store, archives and layouts. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, statSync, symlinkSync } from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { createSandbox } from "./sandbox.ts";

const sandbox = await createSandbox();
after(() => sandbox[Symbol.asyncDispose]());

const stanza = (name: string, version: string): string => `Package: ${name}\nStatus: install ok installed\nVersion: ${version}\nArchitecture: amd64\n\n`;
const dockerfile = `FROM busybox
# the distribution
COPY status /var/lib/dpkg/status
COPY os-release /etc/os-release

RUN printf 'Package: curl\\nStatus: install ok installed\\nVersion: 7.88.1-10\\nArchitecture: amd64\\n\\n' \\
      >> /var/lib/dpkg/status
ENV A=1
RUN sed -i 's/^Version: 2.36$/Version: 2.37/' /var/lib/dpkg/status
`;
await sandbox.build(dockerfile, { status: stanza("libc6", "2.36") + stanza("zlib1g", "1:1.2"), "os-release": "ID=debian\nVERSION_ID=12\n" }, ["-t", "app:1"]);

interface Component {
  readonly name: string;
  readonly version: string;
  readonly purl?: string;
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
}

const componentsOf = (text: string): readonly Component[] => (JSON.parse(text) as { readonly components: readonly Component[] }).components;
const originOf = ({ properties = [] }: Component): string => properties.find(({ name }) => name === "slipway:layer:origin")?.value ?? "";

test("each package has the line that brought its version", async () => {
  const components = componentsOf(await sandbox.ok(["sbom", "--format", "cyclonedx-json", "app:1"]));
  assert.deepEqual(
    components.map((one) => [one.name, one.version, originOf(one)]),
    [
      ["debian", "12", ""],
      [
        "curl",
        "7.88.1-10",
        `Dockerfile:6 RUN printf 'Package: curl\\nStatus: install ok installed\\nVersion: 7.88.1-10\\nArchitecture: amd64\\n\\n' >> /var/lib/dpkg/status`,
      ],
      ["libc6", "2.37", "Dockerfile:9 RUN sed -i 's/^Version: 2.36$/Version: 2.37/' /var/lib/dpkg/status"],
      ["zlib1g", "1:1.2", "Dockerfile:3 COPY status /var/lib/dpkg/status"],
    ],
  );
});

test("the table names them too", async () => {
  const [head = "", ...rows] = (await sandbox.ok(["sbom", "app:1"])).split("\n");
  assert.match(head, /^NAME +VERSION +TYPE +LICENCES +BROUGHT BY$/);
  assert.match(rows[2] ?? "", /^zlib1g +1:1\.2 +deb +Dockerfile:3 COPY status \/var\/lib\/dpkg\/status$/);
});

test("an image elsewhere has the same packages, from its history's words or from the build that is remembered", async () => {
  const folder = sandbox.folder({});
  await sandbox.ok(["save", "-o", path.join(folder, "app.tar"), "app:1"]);
  await sandbox.ok(["copy", "-q", "store:app:1", `oci:${path.join(folder, "layout")}:1`]);
  const here = componentsOf(await sandbox.ok(["sbom", "--format", "cyclonedx-json", "app:1"]));
  for (const place of [`docker-archive:${path.join(folder, "app.tar")}`, `oci:${path.join(folder, "layout")}:1`]) {
    assert.deepEqual(componentsOf(await sandbox.ok(["sbom", "--format", "cyclonedx-json", place])), here);
    await using elsewhere = await createSandbox({ base: false });
    const foreign = componentsOf(await elsewhere.ok(["sbom", "--format", "cyclonedx-json", place]));
    assert.deepEqual(
      foreign.map(({ purl }) => purl),
      here.map(({ purl }) => purl),
    );
    assert.match(originOf(foreign[1] as Component), /^RUN printf 'Package: curl/);
  }
});

test("a path is the archive or layout that lies there, whatever its kind; a name that is no path stays a name", async () => {
  const cwd = sandbox.folder({});
  await sandbox.ok(["save", "-o", "app.tar", "app:1"], { cwd });
  for (const place of ["oci:layout:1", "dir:flat", "oci-archive:oci.tar:1"]) await sandbox.ok(["copy", "-q", "./app.tar", place], { cwd });
  const here = componentsOf(await sandbox.ok(["sbom", "--format", "cyclonedx-json", "app:1"]));
  for (const place of ["./app.tar", "app.tar", path.join(cwd, "app.tar"), "./layout", "./layout:1", "./flat", "./oci.tar"]) {
    const found = componentsOf(await sandbox.ok(["sbom", "--format", "cyclonedx-json", place], { cwd }));
    assert.deepEqual(
      found.map(({ purl }) => purl),
      here.map(({ purl }) => purl),
      place,
    );
  }
  for (const place of ["./nothing", "./nothing.tar", "layout", "nothing.tar"]) assert.equal((await sandbox.call(["sbom", place], { cwd })).code, 1, place);
  await sandbox.ok(["tag", "app:1", "app.tar"]);
  assert.match(await sandbox.ok(["scan", "--scanners", "misconfig", "app.tar"], { cwd }), /^app\.tar: /);
  await sandbox.ok(["rmi", "app.tar"]);
});

test("a document in a file, the same bytes each time, dated by SOURCE_DATE_EPOCH", async () => {
  const file = path.join(sandbox.folder({}), "a.json");
  const args = ["sbom", "--format", "spdx-json", "-o", file, "app:1"];
  await sandbox.ok(args, { env: { SOURCE_DATE_EPOCH: "1700000000" } });
  const first = readFileSync(file, "utf8");
  assert.equal(statSync(file).mode & 0o777, 0o666 & ~process.umask());
  assert.match(first, /"created": "2023-11-14T22:13:20Z"/);
  await sandbox.ok(args, { env: { SOURCE_DATE_EPOCH: "1700000000" } });
  assert.equal(readFileSync(file, "utf8"), first);
});

const lock = JSON.stringify({ packages: { "node_modules/left": { version: "1.0.0" } } });

test("a directory of files is looked into by whatever word it is named", async () => {
  const cwd = sandbox.folder({ "project/package-lock.json": lock, "project/b/node_modules/right/package.json": '{"name":"right","version":"2.0.0"}' });
  symlinkSync("/etc", path.join(cwd, "project/link"));
  execFileSync("mkfifo", [path.join(cwd, "project/pipe.jar")]);
  for (const place of ["./project", "fs://project", "dir:project", path.join(cwd, "project")]) {
    assert.deepEqual(
      (await sandbox.ok(["sbom", place], { cwd })).split("\n").map((line) => line.split(/ +/).join(" ")),
      ["NAME VERSION TYPE LICENCES FOUND IN", "left 1.0.0 npm (locked) package-lock.json", "right 2.0.0 npm b/node_modules/right/package.json"],
    );
  }
  const here = path.join(cwd, "project");
  const document = async (format: string): Promise<Readonly<Record<string, unknown>>> =>
    JSON.parse(await sandbox.ok(["sbom", "--format", format, "."], { cwd: here })) as Readonly<Record<string, unknown>>;
  const [cyclonedx, spdx] = [await document("cyclonedx-json"), await document("spdx-json")];
  const { component } = cyclonedx["metadata"] as { readonly component: Readonly<Record<string, unknown>> };
  assert.deepEqual([component["type"], component["name"]], ["file", "project"]);
  const [subject] = spdx["packages"] as readonly Readonly<Record<string, unknown>>[];
  assert.deepEqual([subject?.["primaryPackagePurpose"], subject?.["name"], subject?.["checksums"]], ["FILE", "project", undefined]);
  assert.deepEqual(JSON.parse(await sandbox.ok(["sbom", "--format", "spdx-json", "../project"], { cwd: here })), spdx);
});

test("Docker Scout's words for places are known", async () => {
  const cwd = sandbox.folder({});
  await sandbox.ok(["save", "-o", "app.tar", "app:1"], { cwd });
  await sandbox.ok(["copy", "-q", "store:app:1", "oci:layout:1"], { cwd });
  const here = await sandbox.ok(["sbom", "app:1"]);
  for (const place of ["local://app:1", "image://app:1", "archive://app.tar", "oci-dir://layout", "oci-dir:layout:1"])
    assert.equal(await sandbox.ok(["sbom", place], { cwd }), here, place);
});

test("an archive may come on standard input, for a scan a bill too", async () => {
  const cwd = sandbox.folder({
    "advisory.json": JSON.stringify({ id: "CVE-2024-1", affected: [{ package: { ecosystem: "npm", name: "left" }, versions: ["1.0.0"] }] }),
  });
  await sandbox.ok(["save", "-o", "app.tar", "app:1"], { cwd });
  const archive = readFileSync(path.join(cwd, "app.tar"));
  const { stdout, stderr, code } = await sandbox.call(["sbom", "--format", "json", "-"], { input: archive });
  assert.equal(code, 0, stderr);
  const { image, packages } = JSON.parse(stdout) as { readonly image: { readonly name: string }; readonly packages: readonly unknown[] };
  assert.deepEqual([image.name, packages.length], ["-", 3]);
  await sandbox.ok(["db", "import", "advisory.json"], { cwd });
  const bill = JSON.stringify({ bomFormat: "CycloneDX", components: [{ type: "library", name: "left", purl: "pkg:npm/left@1.0.0" }] });
  assert.match((await sandbox.call(["scan", "--all", "-"], { input: bill })).stdout, /CVE-2024-1/);
  const inputs: readonly (readonly [input: string, says: RegExp])[] = [
    ["", /^standard input is empty/],
    [bill, /^standard input holds JSON and no image's archive/],
  ];
  for (const [input, says] of inputs) {
    const refused = await sandbox.call(["sbom", "-"], { input });
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, says);
  }
});

test("several formats at once, of one kind of packages", async () => {
  const cwd = sandbox.folder({
    "node_modules/left/package.json": '{"name":"left","version":"1.0.0"}',
    "node_modules/b/node_modules/left/package.json": '{"name":"left","version":"1.0.0"}',
    Dockerfile: "FROM app:1\nCOPY node_modules /app/node_modules\n",
  });
  await sandbox.ok(["build", "-q", "-t", "app:2", cwd]);
  const table = await sandbox.ok(["sbom", "--only-package-type", "npm", "-o", "table", "-o", "a.spdx.json", "-o", "cyclonedx=b", "-o", "json=c", "app:2"], {
    cwd,
  });
  assert.match(table, /^NAME .*\nleft +1\.0\.0 +npm +Dockerfile:2 COPY node_modules \/app\/node_modules$/);
  const read = (file: string): Readonly<Record<string, unknown>> => JSON.parse(readFileSync(path.join(cwd, file), "utf8")) as Readonly<Record<string, unknown>>;
  assert.equal((read("a.spdx.json")["packages"] as readonly unknown[]).length, 3);
  assert.equal(read("b")["bomFormat"], "CycloneDX");
  const { schema, packages } = read("c");
  assert.equal(schema, "slipway-sbom 1");
  assert.deepEqual(
    packages,
    ["b/node_modules/left", "left"].map((place) => ({
      type: "npm",
      name: "left",
      version: "1.0.0",
      layer: 5,
      purl: "pkg:npm/left@1.0.0",
      path: `/app/node_modules/${place}/package.json`,
    })),
  );
});

const refusals: readonly { readonly name: string; readonly args: readonly string[]; readonly code: number; readonly says: RegExp }[] = [
  { name: "an unknown format", args: ["--format", "xml", "app:1"], code: 1, says: /unknown format "xml": want one of table, json, spdx-json, cyclonedx-json/ },
  { name: "a directory that is not there", args: ["fs:///nothing"], code: 1, says: /fs:\/\/\/nothing: there is no such directory/ },
  { name: "an archive that is not there", args: ["docker-archive:/nothing.tar"], code: 1, says: /nothing\.tar/ },
];
for (const { name, args, code, says } of refusals) {
  test(`refuses: ${name}`, async () => {
    const outcome = await sandbox.call(["sbom", ...args]);
    assert.equal(outcome.code, code);
    assert.match(outcome.stderr, says);
  });
}
