import assert from "node:assert/strict";
import { test } from "node:test";
import { parseApkInstalled } from "./apk.ts";
import { parseCopyright } from "./copyright.ts";
import { parseDpkgList, parseDpkgStatus } from "./dpkg.ts";
import { alpineReleases, parseOsRelease } from "./os-release.ts";

const stanza = (...lines: readonly string[]): string => `${lines.join("\n")}\n\n`;

const installed: readonly { readonly name: string; readonly text: string; readonly want: readonly object[] }[] = [
  {
    name: "a package whose source is another, with a version of its own",
    text: stanza("Package: libstdc++6", "Status: install ok installed", "Architecture: amd64", "Source: gcc-12 (12.2.0-14)", "Version: 12.2.0-14+deb12u1"),
    want: [{ type: "deb", name: "libstdc++6", version: "12.2.0-14+deb12u1", architecture: "amd64", source: { name: "gcc-12", version: "12.2.0-14" } }],
  },
  {
    name: "a source of the same version",
    text: stanza("Package: libc6", "Status: install ok installed", "Source: glibc", "Version: 2.36-9"),
    want: [{ type: "deb", name: "libc6", version: "2.36-9", source: { name: "glibc", version: "2.36-9" } }],
  },
  {
    name: "a rebuild of the same source",
    text: stanza("Package: bash", "Status: install ok installed", "Version: 5.2.15-2+b13"),
    want: [{ type: "deb", name: "bash", version: "5.2.15-2+b13", source: { name: "bash", version: "5.2.15-2" } }],
  },
  { name: "what left its configuration only", text: stanza("Package: gone", "Status: deinstall ok config-files", "Version: 1"), want: [] },
  { name: "one on hold", text: stanza("Package: kept", "Status: hold ok installed", "Version: 1"), want: [{ type: "deb", name: "kept", version: "1" }] },
  { name: "status.d without a status", text: "Package: tzdata\nVersion: 2024a\n", want: [{ type: "deb", name: "tzdata", version: "2024a" }] },
  {
    name: "folded fields",
    text: stanza("Package: a", "Description: b", " Package: c", " .", " Version: 9", "Version: 1"),
    want: [{ type: "deb", name: "a", version: "1" }],
  },
  { name: "nothing", text: "\n\n\n", want: [] },
];
for (const { name, text, want } of installed) test(`dpkg's status: ${name}`, () => assert.deepEqual(parseDpkgStatus(text), want));

test("dpkg's list of files names the package without its architecture", () => {
  assert.deepEqual(parseDpkgList("libc6:amd64.list", "/.\n/lib\n/lib/x86_64-linux-gnu/libc.so.6\n"), {
    owner: "libc6",
    paths: ["lib", "lib/x86_64-linux-gnu/libc.so.6"],
  });
});

test("apk's database: packages with their source, licence and files", () => {
  const text =
    "C:Q1abc=\nP:musl-utils\nV:1.2.5-r0\nA:x86_64\nL:MIT AND BSD-2-Clause\no:musl\nF:usr/bin\nR:getent\na:0:0:755\nR:iconv\nF:\nR:top\n\nP:busybox\nV:1.36.1-r29\no:busybox\n\n";
  assert.deepEqual(parseApkInstalled(text), [
    {
      found: {
        type: "apk",
        name: "musl-utils",
        version: "1.2.5-r0",
        architecture: "x86_64",
        licences: ["MIT AND BSD-2-Clause"],
        source: { name: "musl", version: "1.2.5-r0" },
      },
      paths: ["usr/bin/getent", "usr/bin/iconv", "top"],
    },
    { found: { type: "apk", name: "busybox", version: "1.36.1-r29" }, paths: [] },
  ]);
});

test("os-release: quotes, escapes and a distribution without a version", () => {
  const sid = 'PRETTY_NAME="Debian GNU/Linux trixie/sid"\nNAME="Debian \\"GNU\\""\nVERSION_CODENAME=trixie\nID=debian\n';
  assert.deepEqual(parseOsRelease(sid), { id: "debian", version: "", codename: "trixie", name: "Debian GNU/Linux trixie/sid", idLike: [] });
  assert.deepEqual(parseOsRelease('ID=\'rocky\'\nVERSION_ID="9.4"\nID_LIKE="rhel centos fedora"\n')?.idLike, ["rhel", "centos", "fedora"]);
  assert.equal(parseOsRelease("NAME=x\n"), undefined);
});

test("Alpine's repositories tell the release", () => {
  const text =
    "# https://x/alpine/v3.1/main\nhttps://dl-cdn.alpinelinux.org/alpine/v3.20/main\nhttps://dl-cdn.alpinelinux.org/alpine/v3.20/community\nhttp://x/edge/testing\n";
  assert.deepEqual(alpineReleases(text), ["3.20", "edge"]);
});

const copyrights: readonly { readonly name: string; readonly text: string; readonly want: readonly string[] }[] = [
  {
    name: "machine-readable",
    text: "Format: https://x/copyright-format/1.0/\n\nFiles: *\nLicense: GPL-2+ or MIT\n text\n\nFiles: b\nLicense: Expat\n",
    want: ["Expat", "GPL-2+ or MIT"],
  },
  { name: "a letter", text: "It is under the GPL:\n see /usr/share/common-licenses/GPL-2.\n", want: ["GPL-2"] },
  { name: "nothing known", text: "All rights reserved.\n", want: [] },
];
for (const { name, text, want } of copyrights) test(`copyright: ${name}`, () => assert.deepEqual(parseCopyright(text), want));
