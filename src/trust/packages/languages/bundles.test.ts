import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { isSlipwayError } from "../../../base/errors.ts";
import { readerTable } from "../readers.ts";
import { packageOfSource } from "./bundled-sources.ts";
import { JsonScan } from "./json-scan.ts";

function read(path: string, bytes: Buffer): readonly string[] {
  const { packages = [] } = readerTable.find(path)?.read(bytes, path) ?? {};
  return packages.map(({ name, version, bundled }) => `${name} ${version} ${bundled}`).toSorted();
}

const own = (at: string): readonly string[] => [
  `@babel/runtime  ${at}/@babel/runtime`,
  `debug  ${at}/debug`,
  `ms  ${at}/debug/node_modules/ms`,
  `ms  ${at}/ms`,
];
const pnpm = (at: string): readonly string[] =>
  ["@babel/runtime 7.23.2", "debug 2.6.9", "ms 2.0.0", "ms 2.1.3"].map((one) => {
    const [name = "", version] = one.split(" ");
    return `${one} ${at}/.pnpm/${name.replace("/", "+")}@${version}/node_modules/${name}`;
  });

/** What the bundlers themselves wrote of one program, which has debug 2.6.9 with its own ms 2.0.0, ms 2.1.3 and @babel/runtime 7.23.2. */
const recorded: readonly { readonly file: string; readonly path: string; readonly want: readonly string[] }[] = [
  { file: "esbuild.js.map", path: "app/dist/app.js.map", want: own("app/node_modules") },
  { file: "esbuild-meta.json", path: "app/meta.json", want: own("app/node_modules") },
  { file: "esbuild-inline.js", path: "app/dist/app.js", want: ["ms 2.1.3 app/node_modules/ms"] },
  { file: "webpack.js.map", path: "app/dist/main.js.map", want: own("app/dist/node_modules") },
  { file: "webpack-stats.json", path: "app/dist/stats.json", want: own("build/node_modules") },
  { file: "rollup.js.map", path: "srv/app/fx/rollup/index.js.map", want: own("srv/app/node_modules") },
  { file: "rollup-stats.json", path: "app/stats.json", want: own("app/node_modules") },
  { file: "vite.js.map", path: "app/out/dist/assets/index-B.js.map", want: own("app/node_modules") },
  { file: "pnpm-esbuild.js.map", path: "fx/app.js.map", want: pnpm("pn/node_modules") },
  { file: "pnpm-webpack.js.map", path: "app/dist/main.js.map", want: pnpm("app/dist/node_modules") },
];
for (const { file, path, want } of recorded) {
  test(`bundles: ${file}`, () => assert.deepEqual(read(path, gunzipSync(readFileSync(join(import.meta.dirname, `testdata/${file}.gz`)))), want));
}

const encoded = Buffer.from('{"sources":["../node_modules/a/b.js"]}').toString("base64");
const written: readonly { readonly name: string; readonly path: string; readonly text: string; readonly want: readonly string[] }[] = [
  {
    name: "a source root",
    path: "app/x.js.map",
    text: '{"sourceRoot":"../src/","sources":["node_modules/a/i.js"]}',
    want: ["a  src/node_modules/a"],
  },
  {
    name: "a map of maps",
    path: "app/x.js.map",
    text: '{"version":3,"sections":[{"offset":{"line":0},"map":{"sources":["node_modules/a/i.js"]}},{"map":{"sources":["node_modules/@s/b/i.js"]}}]}',
    want: ["@s/b  app/node_modules/@s/b", "a  app/node_modules/a"],
  },
  {
    name: "the text of a package.json, wherever it stands",
    path: "app/x.js.map",
    text: '{"sourcesContent":[null,"{\\"name\\":\\"a\\",\\"version\\":\\"1.2.3\\"}"],"sources":["node_modules/a/i.js","node_modules/a/package.json"]}',
    want: ["a 1.2.3 app/node_modules/a"],
  },
  {
    name: "a package.json that a bundler made into a script",
    path: "app/x.js.map",
    text: '{"sources":["node_modules/a/package.json"],"sourcesContent":["module.exports = 1"]}',
    want: ["a  app/node_modules/a"],
  },
  {
    name: "files by their place on the machine",
    path: "app/x.css.map",
    text: '{"sources":["file:///app/node_modules/a/a.scss","/opt/node_modules/b/b.scss"]}',
    want: ["a  app/node_modules/a", "b  opt/node_modules/b"],
  },
  { name: "no packages", path: "x.js.map", text: '{"sources":["src/node_modules.js"]}', want: [] },
  { name: "a map of something else", path: "boot/System.map", text: "0000 T node_modules\n".slice(0, 7), want: [] },
  { name: "a script without a map", path: "x.js", text: "//# sourceMappingURL=x.js.map", want: [] },
  {
    name: "an older inline map before the one that counts",
    path: "d/x.mjs",
    text: `//# sourceMappingURL=data:application/json,{}\n//# sourceMappingURL=data:application/json;charset=utf-8;base64,${encoded}\n`,
    want: ["a  node_modules/a"],
  },
  { name: "a style sheet", path: "d/x.css", text: `/*# sourceMappingURL=data:application/json;base64,${encoded} */`, want: ["a  node_modules/a"] },
  {
    name: "text that is no base64",
    path: "d/x.cjs",
    text: `//# sourceMappingURL=data:application/json,${encodeURIComponent('{"sources":["node_modules/a/b"]}')}`,
    want: ["a  d/node_modules/a"],
  },
  {
    name: "a metafile's inputs that were shaken off",
    path: "app/esbuild-meta.json",
    text: '{"inputs":{"node_modules/a/i.js":{},"node_modules/b/i.js":{}},"outputs":{"o.js":{"inputs":{"node_modules/a/i.js":{"bytesInOutput":9},"node_modules/b/i.js":{"bytesInOutput":0}}}}}',
    want: ["a  app/node_modules/a"],
  },
  {
    name: "Vite's manifest",
    path: "dist/.vite/manifest.json",
    text: '{"node_modules/a/font.woff":{"file":"assets/f.woff","src":"node_modules/a/font.woff"},"_shared.js":{"file":"s.js"}}',
    want: ["a  dist/.vite/node_modules/a"],
  },
  { name: "a manifest of something else", path: "manifest.json", text: '{"name":"x","icons":[{"src":"node_modules/a/b.png"}]}', want: [] },
];
for (const { name, path, text, want } of written) test(`bundles: ${name}`, () => assert.deepEqual(read(path, Buffer.from(text)), want));

const sources: readonly (readonly [source: string, want: string | undefined])[] = [
  ["webpack://app/./node_modules/lodash/lodash.js", "lodash "],
  ["webpack:///./node_modules/a/index.js?abcd", "a "],
  ["./node_modules/x-loader/index.js??ruleSet!./node_modules/a/b.vue?vue&type=script", "a "],
  ["\0/app/node_modules/a/index.js?commonjs-module", "a "],
  ["..\\node_modules\\a\\index.js", "a "],
  ["../node_modules/%40s/a/index.js", "@s/a "],
  ["node_modules/a/node_modules/b/index.js", "b "],
  ["node_modules/.pnpm/react-dom@18.2.0_react@18.2.0/node_modules/react-dom/index.js", "react-dom 18.2.0"],
  ["node_modules/.pnpm/a@1.0.0(b@2.0.0)/node_modules/a/index.js", "a 1.0.0"],
  ["node_modules/.pnpm/a@1.0.0/node_modules/b/index.js", "b "],
  ["node_modules/.pnpm/a@file+x/node_modules/a/index.js", "a "],
  ["node_modules/.bun/@s+a@1.0.0-rc.1/node_modules/@s/a/index.js", "@s/a 1.0.0-rc.1"],
  ["../.yarn/cache/@babel-runtime-npm-7.23.2-d013d6cf7e-6c4df4839e.zip/node_modules/@babel/runtime/x.js", "@babel/runtime 7.23.2"],
  ["turbopack:///[project]/node_modules/next/dist/client.js", "next "],
  ["webpack://app/ignored|/app/node_modules/a|./b", undefined],
  ["node_modules/.vite/deps/chunk.js", undefined],
  ["node_modules/file.js", undefined],
  ["my_node_modules/a/b.js", undefined],
  ["src/index.ts", undefined],
  ["webpack/bootstrap", undefined],
];
for (const [source, want] of sources) {
  test(`bundles: the package of ${JSON.stringify(source)}`, () => {
    const found = packageOfSource(source);
    assert.equal(found === undefined ? undefined : `${found.name} ${found.version}`, want);
  });
}

for (const path of ["app/node_modules/a/meta.json", "app/data.json"]) {
  test(`bundles: nobody reads ${path}`, () => assert.equal(readerTable.find(path), undefined));
}

test("a scan finds what JSON.parse finds", () => {
  const valueAt = (scan: JsonScan, at: number, text: Buffer): unknown => {
    const byte = String.fromCharCode(text[at] ?? 0);
    if (byte === "{") return Object.fromEntries([...scan.members(at)].map(([key, value]) => [key, valueAt(scan, value, text)]));
    if (byte === "[") return [...scan.items(at)].map((item) => valueAt(scan, item, text));
    return scan.string(at) ?? (JSON.parse(text.toString("utf8", at, scan.after(at))) as unknown);
  };
  fc.assert(
    fc.property(fc.jsonValue({ depthSize: "small" }), fc.constantFrom(undefined, 1, "\t"), (value, indent) => {
      const text = Buffer.from(JSON.stringify(value, undefined, indent));
      const scan = new JsonScan(text, "text");
      // through text: -0 is 0 in it, and __proto__ is a name
      assert.equal(JSON.stringify(valueAt(scan, scan.start, text)), JSON.stringify(JSON.parse(text.toString())));
    }),
  );
});

test("any damage to a source map is an error of ours or its packages, and ends", () => {
  const whole = Buffer.from('{"sources":["node_modules/a/i.js",1,null],"sections":[{"map":{"sources":["node_modules/b/\\\\\\"i.js"]}}],"names":[{},[]]}');
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length), (at, value, length) => {
      const damaged = Buffer.from(whole.subarray(0, length));
      if (at < length) damaged[at] = value;
      try {
        read("a.js.map", damaged);
      } catch (error) {
        assert.ok(isSlipwayError(error, "INVALID_DOCUMENT"), String(error));
      }
    }),
  );
});

test("a map as deep as a million levels costs no stack", () => {
  const deep = `{"node_modules":${"[".repeat(1e6)}${"]".repeat(1e6)},"sources":["node_modules/a/i.js"]}`;
  assert.deepEqual(read("a.js.map", Buffer.from(deep)), ["a  node_modules/a"]);
});
