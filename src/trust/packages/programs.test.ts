import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import { fc } from "../../base/test-chance.ts";
import { piecesOf, readElfSections } from "./elf-sections.ts";
import { readProgram } from "./programs.ts";
import { elfWith, goBuildInfo } from "./test-elf.ts";

const modules =
  "path\texample.com/app/cmd\nmod\texample.com/app\t(devel)\t\ndep\tgolang.org/x/net\tv0.20.0\th1:x=\ndep\told.example/y\tv1.0.0\n=>\tnew.example/y\tv1.2.0\th1:z=\ndep\tlocal.example/z\tv0.1.0\n=>\t./z\t(devel)\t\nbuild\tCGO_ENABLED=0\n";
const crates = JSON.stringify({
  packages: [
    { name: "adler", version: "1.0.2", source: "crates.io" },
    { name: "cc", version: "1.0.0", source: "crates.io", kind: "build" },
  ],
});

const cases: readonly { readonly name: string; readonly bytes: Buffer; readonly want: readonly string[] }[] = [
  {
    name: "a Go program's modules, replacements in place of what they replace",
    bytes: elfWith({ ".text": Buffer.alloc(100), ".go.buildinfo": goBuildInfo("go1.22.5", modules) }),
    want: [
      "golang stdlib 1.22.5",
      "golang example.com/app (devel)",
      "golang golang.org/x/net v0.20.0",
      "golang new.example/y v1.2.0",
      "golang local.example/z v0.1.0",
    ],
  },
  { name: "a Go program without modules", bytes: elfWith({ ".go.buildinfo": goBuildInfo("go1.22.5 X:x", "") }), want: ["golang stdlib 1.22.5"] },
  { name: "a Rust program's crates without those of its build", bytes: elfWith({ ".dep-v0": deflateSync(crates) }), want: ["cargo adler 1.0.2"] },
  { name: "another program", bytes: elfWith({ ".text": Buffer.alloc(9) }), want: [] },
  { name: "a mark without content", bytes: elfWith({ ".go.buildinfo": Buffer.from("\xff Go buildinf:\x08\x02", "latin1") }), want: [] },
  {
    name: "a length beyond the section",
    bytes: elfWith({ ".go.buildinfo": Buffer.concat([goBuildInfo("", "").subarray(0, 32), Buffer.from([0xff, 0xff, 0x7f, 1])]) }),
    want: [],
  },
];
for (const { name, bytes, want } of cases) {
  test(`programs: ${name}`, () => {
    const { packages = [] } = readProgram(piecesOf(bytes));
    assert.deepEqual(
      packages.map((found) => `${found.type} ${found.name} ${found.version}`),
      want,
    );
  });
}

test("any damage to an ELF file gives its sections or none, and no failure", () => {
  const whole = elfWith({ ".go.buildinfo": goBuildInfo("go1.22.5", modules), ".dep-v0": deflateSync(crates) });
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length), (at, value, length) => {
      const damaged = Buffer.from(whole.subarray(0, length));
      if (at < length) damaged[at] = value;
      for (const section of readElfSections(piecesOf(damaged), [".go.buildinfo", ".dep-v0"]).values()) assert.ok(section.length <= length);
    }),
  );
});

test("of a large program only its sections are read", () => {
  const bytes = elfWith({ ".text": Buffer.alloc(2 ** 24), ".go.buildinfo": goBuildInfo("go1.22.5", modules) });
  let count = 0;
  const { packages = [] } = readProgram({
    size: bytes.length,
    read: (start, length) => {
      count += length;
      return bytes.subarray(start, start + length);
    },
  });
  assert.equal(packages.length, 5);
  assert.ok(count < 4096, String(count));
});
