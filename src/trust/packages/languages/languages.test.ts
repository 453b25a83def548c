import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { fc } from "../../../base/test-chance.ts";
import { isSlipwayError } from "../../../base/errors.ts";
import { readerTable } from "../readers.ts";
import { readJavaArchive } from "./java.ts";
import { zipOf } from "./test-zip.ts";

interface Case {
  readonly name: string;
  readonly path: string;
  readonly text: string | Buffer;
  /** "name version", with "*" behind what only a lock file names */
  readonly want: readonly string[];
  readonly licences?: readonly string[];
}

const pom = (group: string, artifact: string, version: string): Record<string, string> => ({
  [`META-INF/maven/${group}/${artifact}/pom.properties`]: `#x\nversion=${version}\ngroupId=${group}\nartifactId=${artifact}\n`,
});

const cases: readonly Case[] = [
  {
    name: "an installed npm package",
    path: "app/node_modules/@a/b/package.json",
    text: '{"name":"@a/b","version":"1.2.3","license":"MIT"}',
    want: ["@a/b 1.2.3"],
    licences: ["MIT"],
  },
  {
    name: "licences as npm once had them",
    path: "node_modules/b/package.json",
    text: '{"name":"b","version":"1.0.0","licenses":[{"type":"BSD"},{"type":"GPL"}]}',
    want: ["b 1.0.0"],
    licences: ["BSD", "GPL"],
  },
  {
    name: "names that are half a character",
    path: "node_modules/b/package.json",
    text: '{"name":"b\\ud800","version":"1\\udc00","license":"\\ud800"}',
    want: ["b\ufffd 1\ufffd"],
    licences: ["\ufffd"],
  },
  { name: "a package.json without a name", path: "node_modules/b/package.json", text: '{"type":"module"}', want: [] },
  {
    name: "package-lock.json of version 3",
    path: "app/package-lock.json",
    text: '{"packages":{"":{"version":"1.0.0"},"node_modules/a":{"version":"1.1.0"},"node_modules/a/node_modules/@s/b":{"version":"2.0.0"},"node_modules/w":{"link":true},"node_modules/alias":{"name":"real","version":"3.0.0"}}}',
    want: ["a 1.1.0*", "@s/b 2.0.0*", "real 3.0.0*"],
  },
  {
    name: "package-lock.json of version 1",
    path: "app/package-lock.json",
    text: '{"dependencies":{"a":{"version":"1.0.0","dependencies":{"b":{"version":"2.0.0"}}},"g":{"version":"git+ssh://x"}}}',
    want: ["a 1.0.0*", "b 2.0.0*"],
  },
  {
    name: "pnpm-lock.yaml in its three spellings",
    path: "pnpm-lock.yaml",
    text: "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies: {}\npackages:\n\n  /old/1.0.0_peer@2:\n    resolution: {}\n\n  /@s/six@6.0.0(react@18.0.0):\n    dev: true\n\n  '@s/nine@9.0.0':\n    resolution: {integrity: x}\n\n  plain@1.2.3: {}\nsnapshots:\n  plain@1.2.3: {}\n",
    want: ["old 1.0.0*", "@s/six 6.0.0*", "@s/nine 9.0.0*", "plain 1.2.3*"],
  },
  {
    name: "yarn.lock of yarn 1",
    path: "yarn.lock",
    text: '# yarn lockfile v1\n\n"@s/a@^1.0.0", "@s/a@^1.1.0":\n  version "1.1.5"\n  resolved "x"\n\nb@~2:\n  version "2.0.1"\n  dependencies:\n    c "^1"\n',
    want: ["@s/a 1.1.5*", "b 2.0.1*"],
  },
  {
    name: "yarn.lock of later ones",
    path: "yarn.lock",
    text: '__metadata:\n  version: 8\n\n"a@npm:^1.0.0":\n  version: 1.0.2\n\n"app@workspace:.":\n  version: 0.0.0-use.local\n\n"x@npm:real@^2":\n  version: 2.1.0\n',
    want: ["a 1.0.2*", "real 2.1.0*"],
  },
  {
    name: "bun.lock",
    path: "bun.lock",
    text: '{\n  "lockfileVersion": 1,\n  "packages": {\n    "a": ["a@1.0.0", "", {}, "sha512-x"],\n    "w": ["w@workspace:w"],\n    "s": ["@s/s@2.0.0", ",]"],\n  },\n}',
    want: ["a 1.0.0*", "@s/s 2.0.0*"],
  },
  {
    name: "an installed Python package",
    path: "usr/lib/python3/site-packages/idna-3.7.dist-info/METADATA",
    text: "Metadata-Version: 2.1\nName: idna\nVersion: 3.7\nClassifier: License :: OSI Approved :: BSD License\n\nVersion: 9\n",
    want: ["idna 3.7"],
    licences: ["BSD License"],
  },
  { name: "an egg's directory", path: "x/six.egg-info/PKG-INFO", text: "Name: six\nVersion: 1.16.0\nLicense: MIT\n", want: ["six 1.16.0"], licences: ["MIT"] },
  {
    name: "an egg's file",
    path: "usr/lib/python3/dist-packages/wheel-0.38.egg-info",
    text: "Name: wheel\nVersion: 0.38\nLicense-Expression: MIT OR Apache-2.0\n",
    want: ["wheel 0.38"],
    licences: ["MIT OR Apache-2.0"],
  },
  {
    name: "requirements.txt",
    path: "app/requirements.txt",
    text: "# x\nflask==2.0.1\nDjango[argon2] == 4.2.1 ; python_version > '3'\nrange>=1\nwild==1.*\nhashed==1.0 \\\n    --hash=sha256:x\n-r other.txt\n",
    want: ["flask 2.0.1*", "Django 4.2.1*", "hashed 1.0*"],
  },
  {
    name: "poetry.lock",
    path: "poetry.lock",
    text: '[[package]]\nname = "idna"\nversion = "3.7"\n\n[[package]]\nname = "six"\nversion = "1.16.0"\n',
    want: ["idna 3.7*", "six 1.16.0*"],
  },
  {
    name: "uv.lock without the project itself",
    path: "uv.lock",
    text: '[[package]]\nname = "app"\nversion = "0.1.0"\nsource = { editable = "." }\n\n[[package]]\nname = "idna"\nversion = "3.7"\nsource = { registry = "https://pypi.org/simple" }\n',
    want: ["idna 3.7*"],
  },
  {
    name: "Pipfile.lock",
    path: "Pipfile.lock",
    text: '{"default":{"a":{"version":"==1.0"}},"develop":{"b":{"version":"==2.0"},"g":{"git":"x"}}}',
    want: ["a 1.0*", "b 2.0*"],
  },
  {
    name: "Cargo.lock without the project itself",
    path: "Cargo.lock",
    text: '[[package]]\nname = "app"\nversion = "0.1.0"\n\n[[package]]\nname = "adler"\nversion = "1.0.2"\nsource = "registry+https://x"\n',
    want: ["adler 1.0.2*"],
  },
  {
    name: "an installed gem",
    path: "usr/lib/ruby/gems/3.1.0/specifications/rack-2.2.8.gemspec",
    text: 'Gem::Specification.new do |s|\n  s.name = "rack".freeze\n  s.version = "2.2.8"\n  s.licenses = ["MIT".freeze]\nend\n',
    want: ["rack 2.2.8"],
    licences: ["MIT"],
  },
  {
    name: "Gemfile.lock",
    path: "Gemfile.lock",
    text: "GEM\n  remote: https://rubygems.org/\n  specs:\n    nokogiri (1.15.4-x86_64-linux)\n      racc (~> 1.4)\n    racc (1.7.1)\n\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n    none (1.0)\n",
    want: ["nokogiri 1.15.4*", "racc 1.7.1*"],
  },
  {
    name: "Composer's list of what is installed",
    path: "app/vendor/composer/installed.json",
    text: '{"packages":[{"name":"symfony/console","version":"v6.0.1","license":["MIT"]}]}',
    want: ["symfony/console v6.0.1"],
    licences: ["MIT"],
  },
  { name: "the same of Composer 1", path: "vendor/composer/installed.json", text: '[{"name":"a/b","version":"1.0"}]', want: ["a/b 1.0"] },
  {
    name: "composer.lock",
    path: "composer.lock",
    text: '{"packages":[{"name":"a/b","version":"1.0"}],"packages-dev":[{"name":"c/d","version":"2.0"}]}',
    want: ["a/b 1.0*", "c/d 2.0*"],
  },
  {
    name: ".NET's deps.json",
    path: "app/App.deps.json",
    text: '{"libraries":{"App/1.0.0":{"type":"project"},"Newtonsoft.Json/13.0.1":{"type":"package"}}}',
    want: ["Newtonsoft.Json 13.0.1"],
  },
  {
    name: "a jar with a pom, and its name is not asked",
    path: "a/any-9.jar",
    text: zipOf(pom("org.slf4j", "slf4j-api", "2.0.1")),
    want: ["org.slf4j:slf4j-api 2.0.1"],
  },
  { name: "a jar into which others were put", path: "shaded.jar", text: zipOf({ ...pom("g", "a", "1"), ...pom("h", "b", "2") }), want: ["g:a 1", "h:b 2"] },
  {
    name: "a jar with a manifest alone",
    path: "lib/commons-io-2.6.jar",
    text: zipOf({
      "META-INF/MANIFEST.MF": "Manifest-Version: 1.0\r\nBundle-SymbolicName: org.apache.commo\r\n ns.commons-io;x=y\r\nBundle-Version: 2.6.0\r\n",
    }),
    want: ["org.apache.commons:commons-io 2.6"],
  },
  { name: "a jar that says nothing but its name", path: "lib/log4j-1.2.17.jar", text: zipOf({ "a.class": "" }), want: ["log4j 1.2.17"] },
  { name: "a jar without any version", path: "lib/app.jar", text: zipOf({ "META-INF/MANIFEST.MF": "Manifest-Version: 1.0\n" }), want: [] },
  {
    name: "jars within a war",
    path: "app-1.war",
    text: zipOf({ "WEB-INF/lib/x.jar": zipOf({ ...pom("g", "x", "1"), "y.jar": zipOf(pom("g", "y", "2")) }) }),
    want: ["app 1", "g:x 1", "g:y 2"],
  },
];
for (const { name, path, text, want, licences } of cases) {
  test(`languages: ${name}`, () => {
    const reader = readerTable.find(path);
    assert.ok(reader !== undefined, `nobody reads ${path}`);
    const { packages = [] } = reader.read(Buffer.from(text as string), path);
    assert.deepEqual(
      packages.map((found) => `${found.name} ${found.version}${found.locked === true ? "*" : ""}`),
      want,
    );
    assert.deepEqual(packages[0]?.licences, licences);
  });
}

const unread = [
  "app/package.json",
  "node_modules/a/dist/package.json",
  "node_modules/a/package-lock.json",
  "a.json",
  "usr/lib/python3/site-packages/x/requirements.txt",
  "usr/lib/python3/dist-packages/x/poetry.lock",
  "usr/lib/ruby/gems/3.1.0/gems/rbs-2.1.0/steep/Gemfile.lock",
  "app/vendor/symfony/console/composer.lock",
  "lib/foo.gemspec",
  "etc/os-release.d/os-release",
];
for (const path of unread) test(`languages: nobody reads ${path}`, () => assert.equal(readerTable.find(path), undefined));

const rpms = ["alpha 1.0-1", "beta 2.3~rc1-4.el9", "gamma 3:7-0"];
for (const file of ["rpmdb.sqlite", "Packages"]) {
  test(`rpm: ${file}, written by rpm and Berkeley DB, has what rpm -qa prints`, () => {
    const bytes = gunzipSync(readFileSync(join(import.meta.dirname, `../rpm/testdata/${file}.gz`)));
    const { packages = [], owned = [] } = readerTable.find(`var/lib/rpm/${file}`)?.read(bytes, file) ?? {};
    assert.deepEqual(packages.map(({ name, version }) => `${name} ${version}`).toSorted(), rpms);
    assert.equal(owned.find(({ owner }) => owner === "beta")?.paths.length, 123);
    assert.ok(owned.find(({ owner }) => owner === "alpha")?.paths.includes("usr/share/alpha/deep/file-3"));
  });
}

/** `rpm -qa` over each, after one of six packages was removed: rpm's own ndb, and Berkeley DB's hash. */
const listed = readFileSync(join(import.meta.dirname, "../rpm/testdata/rpm-qa.txt"), "utf8")
  .trim()
  .split("\n");
for (const [file, name] of [
  ["Packages.db", "Packages.db"],
  ["Packages-after-removal", "Packages"],
] as const) {
  test(`rpm: ${file} has what rpm -qa prints, and not what was removed`, () => {
    const bytes = gunzipSync(readFileSync(join(import.meta.dirname, `../rpm/testdata/${file}.gz`)));
    const { packages = [] } = readerTable.find(`usr/lib/sysimage/rpm/${name}`)?.read(bytes, name) ?? {};
    assert.deepEqual(packages.map((found) => `${found.name} ${found.version}`).toSorted(), listed);
  });
}

test("a Java archive without a directory is refused", () =>
  assert.throws(
    () => readJavaArchive(Buffer.alloc(100), "a.jar"),
    (error) => isSlipwayError(error, "ARCHIVE_CORRUPT"),
  ));

test("a damaged archive within another is named, and its neighbours are read", () => {
  const { packages, omitted } = readJavaArchive(zipOf({ "bad.jar": "no zip", "good.jar": zipOf(pom("g", "a", "1")) }), "app.jar");
  assert.deepEqual(
    packages?.map(({ name }) => name),
    ["g:a"],
  );
  assert.match(omitted?.[0] ?? "", /^bad\.jar: /);
});

test("any damage to an archive is an error of ours or its packages", () => {
  const whole = zipOf({ "x.jar": zipOf(pom("g", "a", "1")), ...pom("h", "b", "2") });
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, value) => {
      const damaged = Buffer.from(whole);
      damaged[at] = value;
      try {
        readJavaArchive(damaged, "a.jar");
      } catch (error) {
        assert.ok(isSlipwayError(error), String(error));
      }
    }),
  );
});
