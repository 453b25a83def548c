import assert from "node:assert/strict";
import { test } from "node:test";
import { isSlipwayError } from "../base/errors.ts";
import { resolveUser } from "./user.ts";

const passwd = "root:x:0:0:root:/root:/bin/sh\nfoo:x:1000:1001:Foo:/home/foo:/bin/sh\n12:x:2000:2001::/home/n:/bin/sh\nbad line\nfoo2:x:1000:77::/h2:/bin/sh\n";
const group = "root:x:0:\nfoog:x:1001:\nextra:x:500:foo,bar\nextra2:x:501:foo\n55:x:777:foo\n";

/** uid, gid, additional groups, home: as Docker's builder and engine gave them for the same files */
const accepted: readonly (readonly [string, number, number, readonly number[], string])[] = [
  ["", 0, 0, [0], "/root"],
  ["root", 0, 0, [0], "/root"],
  ["foo", 1000, 1001, [1001, 500, 501, 777], "/home/foo"],
  ["foo:", 1000, 1001, [1001, 500, 501, 777], "/home/foo"],
  ["1000", 1000, 1001, [1001, 500, 501, 777], "/home/foo"],
  ["foo:foog", 1000, 1001, [1001], "/home/foo"],
  ["foo:500", 1000, 500, [500], "/home/foo"],
  ["foo:extra", 1000, 500, [500], "/home/foo"],
  ["1000:55", 1000, 55, [55], "/home/foo"],
  ["9999", 9999, 0, [0], "/"],
  ["9999:8", 9999, 8, [8], "/"],
  ["12", 12, 0, [0], "/"],
  [":foog", 0, 1001, [1001], "/root"],
];

for (const [spec, uid, gid, additionalGids, home] of accepted) {
  test(`user ${JSON.stringify(spec)}`, () => {
    const { name: _, ...resolved } = resolveUser(spec, passwd, group, { forExec: false });
    assert.deepEqual(resolved, { uid, gid, additionalGids, home });
  });
}

test("groups that are listed twice, and a primary group that lists the user: once more in containers, not in builds", () => {
  const groups = "a:x:1001:bar,foo,foo\nb:x:60:foo\nc:x:60:foo\n";
  assert.deepEqual(resolveUser("foo", passwd, groups, { forExec: false }).additionalGids, [1001, 1001, 60, 60]);
  assert.deepEqual(resolveUser("foo", passwd, groups, { forExec: false, inBuild: true }).additionalGids, [1001, 60, 60]);
});

test("an image without passwd has root all the same", () => {
  assert.deepEqual(resolveUser("", "", "", { forExec: false }), { uid: 0, gid: 0, additionalGids: [0], home: "/", name: "" });
});

test("a line's missing fields are empty, what is no number is 0", () => {
  const odd = "# root comes later\nshort:x:11\nnohome:x:12:13:::\nodd:x:a:b::/odd:\n";
  const resolved = ["", "short", "nohome", "odd"].map((spec) => resolveUser(spec, odd, "bad:x:y:odd\n", { forExec: false }));
  assert.deepEqual(
    resolved.map(({ uid, gid, home }) => [uid, gid, home]),
    [
      [0, 0, ""],
      [11, 0, ""],
      [12, 13, ""],
      [0, 0, "/odd"],
    ],
  );
});

const refused: readonly (readonly [string, string, string])[] = [
  ["nobody", "USER_NOT_FOUND", "unable to find user nobody: no matching entries in passwd file"],
  ["foo:nogrp", "GROUP_NOT_FOUND", "unable to find group nogrp: no matching entries in group file"],
  ["foo:foo:foo", "GROUP_NOT_FOUND", "unable to find group foo:foo: no matching entries in group file"],
  ["-1", "ID_OUT_OF_RANGE", "uids and gids must be in range 0-2147483647"],
  ["4294967295", "ID_OUT_OF_RANGE", "uids and gids must be in range 0-2147483647"],
];

for (const [spec, code, message] of refused) {
  test(`user ${spec} is refused in runc's words`, () => {
    assert.throws(
      () => resolveUser(spec, passwd, group, { forExec: false }),
      (error: unknown) => isSlipwayError(error, code) && error.message === message,
    );
  });
}
