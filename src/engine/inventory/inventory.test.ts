import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isSlipwayError } from "../../base/errors.ts";
import { digestOf } from "../../oci/digest.ts";
import type { HistoryEntry, ImageConfig } from "../../oci/image-config.ts";
import { mediaTypes } from "../../oci/manifest.ts";
import { addLayer, tarOf, type Member } from "../../store/test-store.ts";
import { formatLayerInventory, mergeLayers, parseLayerInventory, type LayerInventory } from "../../trust/packages/index.ts";
import { elfWith, goBuildInfo } from "../../trust/packages/test-elf.ts";
import { addImage, TestStore } from "../images/test-images.ts";
import { createPackages } from "../packages.ts";
import { inventoriesOfChain, inventoriesOfLayers } from "./layer-inventories.ts";
import { instructionOf, layerOrigins } from "./layer-origins.ts";
import { inventoryOfArchive, inventoryOfDirectory } from "./read-layer.ts";

async function* chunksOf(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 700) yield bytes.subarray(at, at + 700);
}

const inventoryOf = async (members: readonly Member[]): Promise<LayerInventory> => (await inventoryOfArchive(chunksOf(tarOf(members, "latin1")))).inventory;

const status = (...packages: readonly string[]): Member => ({
  path: "var/lib/dpkg/status",
  content: packages.map((one) => `Package: ${one.split(" ")[0]}\nStatus: install ok installed\nVersion: ${one.split(" ")[1]}\n\n`).join(""),
});
const program = (path: string, version: string): Member => ({
  path,
  mode: 0o755,
  content: elfWith({ ".go.buildinfo": goBuildInfo(version, "") }).toString("latin1"),
});

const merges: readonly { readonly name: string; readonly layers: readonly (readonly Member[])[]; readonly want: readonly string[] }[] = [
  {
    name: "a package stays with the layer that brought its version, whoever wrote the database last",
    layers: [[status("a 1", "b 1")], [status("a 1", "b 2")], [status("a 1", "b 2", "c 1")]],
    want: ["a 1 @0", "b 2 @1", "c 1 @2"],
  },
  { name: "removed and brought again is brought then", layers: [[status("a 1")], [status("b 1")], [status("a 1", "b 1")]], want: ["a 1 @2", "b 1 @1"] },
  {
    name: "a database of a file for each package",
    layers: [
      [{ path: "var/lib/dpkg/status.d/a", content: "Package: a\nVersion: 1\n" }],
      [
        { path: "var/lib/dpkg/status.d/b", content: "Package: b\nVersion: 1\n" },
        { path: "var/lib/dpkg/status.d/b.md5sums", content: "0 x\n" },
      ],
    ],
    want: ["a 1 @0", "b 1 @1"],
  },
  { name: "a whiteout removes", layers: [[program("bin/x", "go1.1")], [{ path: "bin/.wh.x" }]], want: [] },
  { name: "a whiteout of a directory above removes", layers: [[program("opt/a/x", "go1.1")], [{ path: ".wh.opt" }]], want: [] },
  { name: "an opaque directory removes", layers: [[program("opt/a/x", "go1.1")], [{ path: "opt/.wh..wh..opq" }]], want: [] },
  { name: "another file in its place removes", layers: [[program("bin/x", "go1.1")], [{ path: "bin/x", content: "#!/bin/sh\n" }]], want: [] },
  {
    name: "a link in the place of a directory removes",
    layers: [[program("opt/a/x", "go1.1")], [{ path: "opt", type: "symlink", linkname: "usr" }]],
    want: [],
  },
  {
    name: "the same program in its place stays with its first layer",
    layers: [[program("bin/x", "go1.1")], [program("bin/x", "go1.1")]],
    want: ["stdlib 1.1 @0"],
  },
  { name: "its copy is another's", layers: [[program("bin/x", "go1.1")], [program("bin/y", "go1.1")]], want: ["stdlib 1.1 @0", "stdlib 1.1 @1"] },
  { name: "what cannot be executed is not looked into", layers: [[{ ...program("bin/x", "go1.1"), mode: 0o644 }]], want: [] },
];
for (const { name, layers, want } of merges) {
  test(`layers: ${name}`, async () => {
    const { packages } = mergeLayers(await Promise.all(layers.map(inventoryOf)));
    assert.deepEqual(
      packages.map((found) => `${found.name} ${found.version} @${found.layer}`),
      want,
    );
  });
}

const release = (text: string): Member => ({ path: "etc/os-release", content: text });
const databases: readonly { readonly name: string; readonly layers: readonly (readonly Member[])[]; readonly want: readonly string[] }[] = [
  { name: "is there", layers: [[release("ID=debian\n"), status("a 1")]], want: [] },
  { name: "was removed by a later layer", layers: [[release("ID=debian\n"), status("a 1")], [{ path: "var/lib/.wh.dpkg" }]], want: ["var/lib/dpkg/status @1"] },
  { name: "never was there", layers: [[release("ID=alpine\n")]], want: ["lib/apk/db/installed @0"] },
  { name: "is empty", layers: [[release("ID=x\nID_LIKE=ubuntu\n"), status()]], want: ["var/lib/dpkg/status @0"] },
  { name: "is of a kind that is not known", layers: [[release("ID=arch\nNAME=Arch\n")]], want: [" @0"] },
  { name: "without a distribution", layers: [[program("bin/x", "go1.1")]], want: [] },
];
for (const { name, layers, want } of databases) {
  test(`an image is not clean because its packages are not known: the database ${name}`, async () => {
    const { omissions } = mergeLayers(await Promise.all(layers.map(inventoryOf)));
    assert.deepEqual(
      omissions.map(({ path, layer }) => `${path} @${layer}`),
      want,
    );
  });
}

const bundle = (path: string, ...sources: readonly string[]): Member => ({ path, content: JSON.stringify({ sources }) });
const installed = (place: string, version: string): Member => ({
  path: `${place}/package.json`,
  content: JSON.stringify({ name: place.slice(place.lastIndexOf("node_modules/") + 13), version, license: "MIT" }),
});
const lock = (path: string, versions: Readonly<Record<string, string>>): Member => ({
  path,
  content: JSON.stringify({ packages: Object.fromEntries(Object.entries(versions).map(([place, version]) => [place, { version }])) }),
});
const a = "webpack://x/./node_modules/a/i.js";
const nested = "webpack://x/./node_modules/b/node_modules/a/i.js";

const pnpmOfA = "node_modules/.pnpm/a@1.0.0/node_modules/a/i.js";
const bundles: readonly { readonly name: string; readonly layers: readonly (readonly Member[])[]; readonly want: readonly string[] }[] = [
  { name: "nothing tells", layers: [[bundle("app/dist/x.js.map", a)]], want: ["a  @0"] },
  {
    name: "the package that its map names, in another layer",
    layers: [
      [installed("opt/node_modules/a", "1.0.0"), installed("app/node_modules/a", "2.0.0")],
      [bundle("app/dist/x.js.map", "../../opt/node_modules/a/i.js")],
    ],
    want: ["a 1.0.0 @1 MIT"],
  },
  {
    name: "what is installed in the nearest directory above, each copy at its place",
    layers: [
      [installed("node_modules/a", "1.0.0"), installed("app/node_modules/a", "2.0.0"), installed("app/node_modules/b/node_modules/a", "3.0.0")],
      [bundle("app/dist/x.js.map", a, nested)],
    ],
    want: ["a 2.0.0 @1 MIT", "a 3.0.0 @1 MIT"],
  },
  {
    name: "a lock file, each copy at its place",
    layers: [
      [bundle("app/dist/x.js.map", a, nested)],
      [lock("app/package-lock.json", { "node_modules/a": "1.0.0", "node_modules/b/node_modules/a": "2.0.0" })],
    ],
    want: ["a 1.0.0 @0", "a 2.0.0 @0"],
  },
  {
    name: "a lock file that has one version alone, at whatever place",
    layers: [[bundle("app/x.js.map", a), { path: "app/yarn.lock", content: '"a@^1":\n  version "1.5.0"\n' }]],
    want: ["a 1.5.0 @0"],
  },
  {
    name: "a lock file that has several, and does not say where: none is guessed",
    layers: [
      [
        bundle("app/x.js.map", a),
        { path: "app/yarn.lock", content: '"a@^1":\n  version "1.5.0"\n\n"a@^2":\n  version "2.5.0"\n' },
        installed("node_modules/a", "9.0.0"),
      ],
    ],
    want: ["a  @0"],
  },
  {
    name: "another project's lock file says nothing",
    layers: [[bundle("srv/x.js.map", a), lock("app/package-lock.json", { "node_modules/a": "1.0.0" })]],
    want: ["a  @0"],
  },
  {
    name: "its own version before a neighbour's",
    layers: [[bundle("app/x.js.map", pnpmOfA), installed("app/node_modules/a", "2.0.0")]],
    want: ["a 1.0.0 @0"],
  },
  {
    name: "within an installed package: what is below it, and nothing that its user installed or locked",
    layers: [
      [
        bundle("app/node_modules/c/dist/x.js.map", a),
        bundle("app/node_modules/@s/d/dist/x.js.map", a),
        installed("app/node_modules/@s/d/node_modules/a", "3.0.0"),
        installed("app/node_modules/a", "2.0.0"),
        lock("app/package-lock.json", { "node_modules/a": "2.0.0" }),
      ],
    ],
    want: ["a  @0", "a 3.0.0 @0 MIT"],
  },
  {
    name: "a map within an installed bundle",
    layers: [
      [
        {
          path: "app/node_modules/c/dist/x.js",
          content: `${" ".repeat(4096)}//# sourceMappingURL=data:application/json,${JSON.stringify({ sources: [pnpmOfA] })}`,
        },
      ],
    ],
    want: ["a 1.0.0 @0"],
  },
  {
    name: "scripts of installed packages that are too small for bundles are not looked at",
    layers: [[{ path: "app/node_modules/c/x.js", content: `//# sourceMappingURL=data:application/json,${JSON.stringify({ sources: [pnpmOfA] })}` }]],
    want: [],
  },
  {
    name: "two copies of one version are one",
    layers: [[bundle("app/x.js.map", a, nested), { path: "app/yarn.lock", content: '"a@^1":\n  version "1.5.0"\n' }]],
    want: ["a 1.5.0 @0"],
  },
];
for (const { name, layers, want } of bundles) {
  test(`packages in bundles: ${name}`, async () => {
    const { packages } = mergeLayers(await Promise.all(layers.map(inventoryOf)));
    const found = packages.filter(({ bundled }) => bundled !== undefined);
    assert.deepEqual(
      found.map(({ name: called, version, layer, licences = [] }) => [`${called} ${version} @${layer}`, ...licences].join(" ")),
      want,
    );
  });
}

test("a lock file tells of what is not installed", async () => {
  const files: readonly Member[] = [
    lock("app/package-lock.json", { "node_modules/a": "1.0.0", "node_modules/b": "2.0.0", "node_modules/c": "3.0.0" }),
    { path: "app/requirements.txt", content: "Zope.Interface==6.0\nflask==3.0\n" },
  ];
  const site = (name: string, version: string): Member => ({
    path: `usr/lib/python3/site-packages/${name}-${version}.dist-info/METADATA`,
    content: `Name: ${name}\nVersion: ${version}\n`,
  });
  const { packages } = mergeLayers([
    await inventoryOf(files),
    await inventoryOf([installed("app/node_modules/a", "1.0.0"), installed("app/node_modules/b", "2.0.1"), site("zope_interface", "6.0")]),
    await inventoryOf([bundle("app/x.js.map", "node_modules/.pnpm/c@3.0.0/node_modules/c/i.js")]),
  ]);
  assert.deepEqual(
    packages.map(({ name, version, locked, bundled }) => `${name} ${version}${locked === true ? " locked" : ""}${bundled === undefined ? "" : " bundled"}`),
    ["a 1.0.0", "b 2.0.0 locked", "b 2.0.1", "c 3.0.0 locked", "c 3.0.0 bundled", "flask 3.0 locked", "zope_interface 6.0"],
  );
});

const owning: readonly Member[] = [
  status("golang-x 1.0"),
  { path: "var/lib/dpkg/info/golang-x:amd64.list", content: "/.\n/bin\n/bin/x\n" },
  program("usr/bin/x", "go1.1"),
  program("usr/local/bin/y", "go1.2"),
  { path: "usr/share/doc/golang-x", type: "symlink", linkname: "golang-doc" },
  { path: "usr/share/doc/golang-doc/copyright", content: "Format: x\n\nFiles: *\nLicense: BSD-3-clause\n" },
  { path: "etc/os-release", content: "ID=debian\nVERSION_ID=12\n" },
];

test("files that the distribution's packages own are told apart, also when a later layer writes them again", async () => {
  const { packages, distribution } = mergeLayers([await inventoryOf(owning), await inventoryOf([program("usr/bin/x", "go1.1")])]);
  assert.deepEqual(
    packages.map((found) => [found.name, found.path, found.owner, found.licences]),
    [
      ["golang-x", "var/lib/dpkg/status", undefined, ["BSD-3-clause"]],
      ["stdlib", "usr/bin/x", "golang-x", undefined],
      ["stdlib", "usr/local/bin/y", undefined, undefined],
    ],
  );
  assert.equal(distribution?.version, "12");
});

test("a list of files without its package owns nothing", async () => {
  const listed = [{ path: "var/lib/dpkg/info/gone.list", content: "/bin/x\n" }, program("bin/x", "go1.1")];
  for (const [names, owner] of [
    [["other 1"], undefined],
    [["gone 1"], "gone"],
  ] as const) {
    const { packages } = mergeLayers([await inventoryOf([status(...names), ...listed])]);
    assert.equal(packages.find(({ type }) => type === "golang")?.owner, owner);
  }
});

test("what is kept of a layer reads back as it was, and another version's does not", async () => {
  const inventory = await inventoryOf(owning);
  const text = formatLayerInventory(inventory);
  assert.deepEqual(parseLayerInventory(text), inventory);
  assert.equal(parseLayerInventory(text.replace("slipway-inventory 10", "slipway-inventory 0")), undefined);
  assert.equal(parseLayerInventory(text.slice(0, -9)), undefined);
});

test("a directory and an archive of the same layer say the same", async () => {
  using home = new TestStore();
  const root = join(home.root, "layer");
  for (const { path, content = "", type, linkname = "", mode = 0o644 } of owning) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    if (type === "symlink") symlinkSync(linkname, join(root, path));
    else writeFileSync(join(root, path), Buffer.from(content, "latin1"), { mode });
  }
  assert.deepEqual(inventoryOfDirectory(root), await inventoryOf(owning));
});

test("a layer is read once, and kept by its diffID", async () => {
  using home = new TestStore();
  const diffId = addLayer(home.store, [status("a 1")]);
  await inventoriesOfChain(home.store, [diffId]);
  home.store.inventories.write(diffId, formatLayerInventory(await inventoryOf([status("kept 1")])));
  const [kept] = await inventoriesOfChain(home.store, [diffId]);
  assert.equal(kept?.files[0]?.packages?.[0]?.name, "kept");
});

test("an inventory is written as its image is, and nothing is looked at again", async () => {
  using home = new TestStore();
  const id = addImage(home.store, { names: ["docker.io/library/app:1"] });
  const packages = createPackages(home.store, () => Promise.reject(new Error("no registry is asked")));
  const [inventory, document] = [await packages.inventory("app:1"), await packages.sbom("app:1", "spdx-json")];
  home.store.images.remove(id);
  assert.equal(await packages.sbom(inventory, "spdx-json"), document);
  await assert.rejects(packages.sbom("app:1", "spdx-json"));
});

test("a layer elsewhere that is not what its config claims is refused, known or not", async () => {
  using home = new TestStore();
  const clean = tarOf([status("clean 1")]);
  const hidden = tarOf([status("hidden 1")]);
  const layer = { mediaType: mediaTypes.ociLayer, digest: digestOf(hidden), size: hidden.length };
  const read: string[] = [];
  const open = (): AsyncIterable<Uint8Array> => {
    read.push("layer");
    return chunksOf(hidden);
  };
  await inventoriesOfLayers(home.store, [layer], { diffIds: [digestOf(hidden)], open });
  for (let again = 0; again < 2; again++) {
    await assert.rejects(inventoriesOfLayers(home.store, [layer], { diffIds: [digestOf(clean)], open }), (error) => isSlipwayError(error, "DIFF_ID_MISMATCH"));
  }
  assert.deepEqual(read, ["layer"]);
});

const histories: readonly (readonly [createdBy: string, want: string])[] = [
  ["/bin/sh -c #(nop) ADD file:1 in / ", "ADD file:1 in /"],
  ["/bin/sh -c apt-get update  &&   x", "RUN apt-get update && x"],
  ["RUN /bin/sh -c apk add curl # buildkit", "RUN apk add curl"],
  ["RUN |1 A=b /bin/sh -c apk add curl # buildkit", "RUN apk add curl"],
  ["COPY a /b # buildkit", "COPY a /b"],
];

const entry = (createdBy: string, more: object = {}): HistoryEntry => ({ created_by: createdBy, ...more });
const empty = { empty_layer: true } as const;
const layered: readonly { readonly name: string; readonly history: readonly HistoryEntry[]; readonly want: readonly (string | undefined)[] }[] = [
  {
    name: "steps that were put into one layer",
    history: [
      entry("/bin/sh -c #(nop) ADD file:1 in /"),
      entry("/bin/sh -c #(nop) COPY dir:1 in /app ", empty),
      entry("/bin/sh -c #(nop) ENV A=1", empty),
      entry("/bin/sh -c make", empty),
      entry("/bin/sh -c #(nop) COPY file:2 in /"),
    ],
    want: ["ADD file:1 in /", "COPY dir:1 in /app; RUN make; COPY file:2 in /"],
  },
  {
    name: "steps that were merged afterwards",
    history: [entry("/bin/sh -c #(nop) COPY dir:1 in /app ", empty), entry("/bin/sh -c make", empty), entry("", { comment: "merge sha256:1 to sha256:2" })],
    want: ["COPY dir:1 in /app; RUN make"],
  },
  {
    name: "BuildKit's steps that changed nothing",
    history: [entry("RUN /bin/sh -c true # buildkit", { ...empty, comment: "buildkit.dockerfile.v0" }), entry("COPY a / # buildkit")],
    want: ["COPY a /"],
  },
  { name: "a history of other layers", history: [entry("COPY a / # buildkit"), entry("COPY b / # buildkit")], want: [undefined] },
  { name: "no history", history: [], want: [undefined, undefined] },
];
for (const { name, history, want } of layered) {
  test(`what made each layer: ${name}`, () => {
    const config: ImageConfig = { architecture: "amd64", os: "linux", config: {}, rootfs: { type: "layers", diff_ids: null }, history };
    const diffIds = want.map((_, at) => digestOf(String(at)));
    assert.deepEqual(
      layerOrigins(config, diffIds, undefined).map(({ instruction }) => instruction),
      want,
    );
  });
}
for (const [createdBy, want] of histories) test(`history tells the instruction: ${createdBy}`, () => assert.equal(instructionOf(createdBy), want));
