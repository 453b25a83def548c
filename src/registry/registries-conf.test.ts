import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseReference } from "../oci/reference.ts";
import type { ConfigFiles } from "./config-files.ts";
import { isLoopbackHost, originEndpoint } from "./endpoint.ts";
import { endpointsFor, parseRegistriesConf, readRegistriesConf } from "./registries-conf.ts";

const digest = `sha256:${"a".repeat(64)}`;

/** "host/repository scheme[+scheme][ unverified][ mirror]" */
function show(text: string, conf: Awaited<ReturnType<typeof parseRegistriesConf>> = []): readonly string[] {
  return endpointsFor(parseReference(text), conf).map((endpoint) => {
    return `${endpoint.host}/${endpoint.repository} ${endpoint.schemes.join("+")}${endpoint.verifyTls ? "" : " unverified"}${endpoint.mirror ? " mirror" : ""}`;
  });
}

describe("without configuration", () => {
  const table: readonly [reference: string, want: string][] = [
    ["busybox", "registry-1.docker.io/library/busybox https"],
    ["ghcr.io/a/b", "ghcr.io/a/b https"],
    ["localhost:5000/a", "localhost:5000/a https+http unverified"],
    ["127.3.2.1/a", "127.3.2.1/a https+http unverified"],
    ["[::1]:5000/a", "[::1]:5000/a https+http unverified"],
  ];
  for (const [reference, want] of table) test(reference, () => assert.deepEqual(show(reference), [want]));
  test("credentials of Docker Hub are kept under its name", () => assert.equal(originEndpoint(parseReference("busybox")).credentialHost, "docker.io"));
  test("what only looks like loopback is not", () => {
    assert.deepEqual(["127.0.0.1.example", "localhost.example", "1127.0.0.1", "LOCALHOST:1"].map(isLoopbackHost), [false, false, false, true]);
  });
});

describe("endpointsFor", () => {
  const text = `
unqualified-search-registries = ["quay.io"]
short-name-mode = "permissive"
[[registry]]
location = "docker.io"
[[registry.mirror]]
location = "127.0.0.1:5000"
insecure = true
[[registry.mirror]]
location = "mirror.example/hub/"
pull-from-mirror = "digest-only"
[[registry.mirror]]
location = "tags.example"
pull-from-mirror = "tag-only"
[[registry]]
prefix = "docker.io/library/special"
location = "internal.example/special"
[[registry]]
prefix = "quay.io/team"
location = "other.example:8443/elsewhere"
insecure = true
mirror-by-digest-only = true
[[registry.mirror]]
location = "mirror.example"
[[registry]]
prefix = "*.corp.example"
insecure = true
[[registry]]
prefix = "*.a.corp.example"
location = "a.example/all"
[[registry]]
location = "bad.example"
blocked = true
`;
  const table: readonly [reference: string, want: readonly string[]][] = [
    [
      "busybox:1",
      [
        "127.0.0.1:5000/library/busybox https+http unverified mirror",
        "tags.example/library/busybox https mirror",
        "registry-1.docker.io/library/busybox https",
      ],
    ],
    [
      `busybox@${digest}`,
      [
        "127.0.0.1:5000/library/busybox https+http unverified mirror",
        "mirror.example/hub/library/busybox https mirror",
        "registry-1.docker.io/library/busybox https",
      ],
    ],
    ["special", ["internal.example/special https"]],
    [
      "special2",
      [
        "127.0.0.1:5000/library/special2 https+http unverified mirror",
        "tags.example/library/special2 https mirror",
        "registry-1.docker.io/library/special2 https",
      ],
    ],
    ["quay.io/team/x:1", ["other.example:8443/elsewhere/x https+http unverified"]],
    [`quay.io/team/x@${digest}`, ["mirror.example/x https mirror", "other.example:8443/elsewhere/x https+http unverified"]],
    ["quay.io/teams/x", ["quay.io/teams/x https"]],
    ["x.corp.example/p/q", ["x.corp.example/p/q https+http unverified"]],
    ["y.x.corp.example:5000/p", ["y.x.corp.example:5000/p https+http unverified"]],
    ["b.a.corp.example/p/q", ["a.example/all/p/q https"]],
    ["corp.example/p", ["corp.example/p https"]],
    ["x.corp.example.org/p", ["x.corp.example.org/p https"]],
    ["other.example/x.corp.example/p", ["other.example/x.corp.example/p https"]],
    ["docker.io.example/p", ["docker.io.example/p https"]],
  ];
  for (const [reference, want] of table) {
    test(reference, async () => assert.deepEqual(show(reference, await parseRegistriesConf(text, "/etc/r.conf")), want));
  }

  test("a blocked registry is refused, naming the file", async () => {
    const conf = await parseRegistriesConf(text, "/etc/r.conf");
    assert.throws(() => show("bad.example/x", conf), { kind: "denied", code: "REGISTRY_BLOCKED", message: "registry bad.example is blocked in /etc/r.conf" });
  });
});

test("a location with a port takes the place of no prefix in front of a port", async () => {
  const conf = await parseRegistriesConf('[[registry]]\nprefix = "a.example"\nlocation = "b.example:5000"', "f");
  assert.throws(() => show("a.example:443/x", conf), { kind: "invalid_argument" });
});

describe("files that are refused", () => {
  const table: readonly [name: string, text: string, message: RegExp][] = [
    ["not TOML", "[[registry", /^f: /],
    ["registry not a list", "registry = 1", /registry: want a list of objects/],
    ["no location", "[[registry]]\ninsecure = true", /registry\[0\]\.location: want a host, unless/],
    ["prefix without location", '[[registry]]\nprefix = "a.example"', /registry\[0\]\.location: want/],
    ["insecure as text", '[[registry]]\nlocation = "a"\ninsecure = "true"', /registry\[0\]\.insecure: want true or false/],
    ["mirror without location", '[[registry]]\nlocation = "a"\n[[registry.mirror]]\ninsecure = true', /registry\[0\]\.mirror\[0\]\.location/],
    ["an unknown kind of mirror", '[[registry]]\nlocation = "a"\n[[registry.mirror]]\nlocation = "b"\npull-from-mirror = "x"', /pull-from-mirror: want "all"/],
    [
      "two words on digests",
      '[[registry]]\nlocation = "a"\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = "b"\npull-from-mirror = "all"',
      /pull-from-mirror: want nothing/,
    ],
  ];
  for (const [name, text, message] of table) {
    test(name, () => assert.rejects(parseRegistriesConf(text, "f"), { kind: "invalid_argument", code: "INVALID_REGISTRIES_CONF", message }));
  }
});

describe("which files are read", () => {
  const entry = (location: string, insecure = false): string =>
    `[[registry]]\nprefix = "r.example"\nlocation = "${location}"\ninsecure = ${String(insecure)}\n`;
  function disk(files: Readonly<Record<string, string>>): ConfigFiles {
    return {
      readText: (path) => files[path],
      list: (dir) =>
        Object.keys(files)
          .filter((path) => path.startsWith(`${dir}/`))
          .map((path) => path.slice(dir.length + 1))
          .sort(),
    };
  }
  const all = {
    "/env.conf": entry("env"),
    "/home/u/.config/containers/registries.conf": entry("user"),
    "/etc/containers/registries.conf": entry("system"),
  };
  const table: readonly [name: string, env: Record<string, string>, files: Record<string, string>, want: readonly string[]][] = [
    ["nothing there", {}, {}, []],
    ["the environment's", { CONTAINERS_REGISTRIES_CONF: "/env.conf" }, all, ["env"]],
    ["the user's before the system's", {}, all, ["user"]],
    ["XDG_CONFIG_HOME", { XDG_CONFIG_HOME: "/x" }, { ...all, "/x/containers/registries.conf": entry("xdg") }, ["xdg"]],
    ["the system's", {}, { "/etc/containers/registries.conf": entry("system") }, ["system"]],
    [
      "a drop-in replaces the entry, the last one counts",
      {},
      {
        ...all,
        "/home/u/.config/containers/registries.conf.d/1.conf": entry("one"),
        "/home/u/.config/containers/registries.conf.d/2.conf": entry("two"),
        "/home/u/.config/containers/registries.conf.d/README": "x",
      },
      ["two"],
    ],
    ["a user's file hides the system's drop-ins", {}, { ...all, "/etc/containers/registries.conf.d/1.conf": entry("dropin") }, ["user"]],
    ["drop-ins alone", {}, { "/etc/containers/registries.conf.d/1.conf": entry("dropin") }, ["dropin"]],
  ];
  for (const [name, env, files, want] of table) {
    test(name, async () =>
      assert.deepEqual(
        (await readRegistriesConf(env, "/home/u", disk(files))).map((registry) => registry.location),
        want,
      ),
    );
  }
  test("a file that the environment names has to exist", async () => {
    await assert.rejects(readRegistriesConf({ CONTAINERS_REGISTRIES_CONF: "/gone" }, "/home/u", disk({})), {
      code: "INVALID_REGISTRIES_CONF",
      message: /^\/gone: no such file/,
    });
  });
});
