import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseReference } from "../oci/reference.ts";
import { readHostsToml } from "./hosts-toml.ts";
import { certificatesByHost, endpointsFor } from "./registries-conf.ts";

/** "host/repository[ http]" of all that is asked for the reference, in order. */
async function asked(reference: string, texts: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const root = "/etc/containerd/certs.d";
  const files = {
    readText: (path: string) => texts[path.slice(root.length + 1).replace(/\/hosts\.toml$/, "")],
    list: (path: string) => (path === root ? Object.keys(texts) : []),
  };
  return endpointsFor(parseReference(reference), await readHostsToml(files)).map(
    ({ host, repository, schemes }) => `${host}/${repository}${schemes.includes("http") ? " http" : ""}`,
  );
}

const byDigest = `busybox@sha256:${"a".repeat(64)}`;
const hub = "registry-1.docker.io/library/busybox";
const twoHosts = `server = "https://registry-1.docker.io"
[host."https://b.example"]
  capabilities = ["pull", "resolve"]
[host."http://a.example:5000"]
  capabilities = ["pull"]
[host."https://push.example"]
  capabilities = ["push"]
`;

describe("hosts.toml", () => {
  const table: readonly (readonly [string, string, Readonly<Record<string, string>>, readonly string[]])[] = [
    ["hosts in their order, a tag from those that resolve", "busybox", { "docker.io": twoHosts }, ["b.example/library/busybox", hub]],
    ["a digest from all that pull", byDigest, { "docker.io": twoHosts }, ["b.example/library/busybox", "a.example:5000/library/busybox http", hub]],
    ["another registry", "quay.io/x/y", { "docker.io": twoHosts }, ["quay.io/x/y"]],
    ["a registry that is elsewhere", "reg.example/x", { "reg.example": 'server = "http://10.0.0.2:5000"' }, ["10.0.0.2:5000/x http"]],
    ["a port in the directory's name", "reg.example:5000/x", { "reg.example_5000_": '[host."https://m.example"]' }, ["m.example/x", "reg.example:5000/x"]],
    [
      "a path in the place of the API's root",
      "ghcr.io/x/y",
      { "ghcr.io": '[host."https://m.example/v2/ghcr"]\noverride_path = true' },
      ["m.example/ghcr/x/y", "ghcr.io/x/y"],
    ],
    ["all that have none of their own", "quay.io/x/y", { _default: '[host."https://m.example"]', "docker.io": "" }, ["m.example/x/y", "quay.io/x/y"]],
    ["not those that have", "busybox", { _default: '[host."https://m.example"]', "docker.io": "" }, [hub]],
    ["a certificate that is not checked", "reg.example/x", { "reg.example": 'server = "https://reg.example"\nskip_verify = true' }, ["reg.example/x http"]],
  ];
  for (const [name, reference, texts, want] of table) test(name, async () => assert.deepEqual(await asked(reference, texts), want));

  test("certificates and headers of its hosts", async () => {
    const text = `server = "https://reg.example"
ca = "ca.pem"
header.x-team = "a"
[host."https://m.example:5000"]
  ca = ["/etc/ca1.pem", "ca2.pem"]
  client = [["client.cert", "/keys/client.key"], ["second.cert", "second.key"]]
[host."https://m.example:5000".header]
  X-Key = ["one", "two"]
[host."https://n.example"]
  client = "both.pem"
`;
    const path = "/etc/containerd/certs.d/reg.example";
    const files = { readText: (file: string) => (file === `${path}/hosts.toml` ? text : undefined), list: () => ["reg.example"] };
    const conf = await readHostsToml(files);
    assert.deepEqual(
      endpointsFor(parseReference("reg.example/x"), conf).map(({ host, headers }) => [host, headers]),
      [
        ["m.example:5000", { "x-key": "one, two" }],
        ["n.example", undefined],
        ["reg.example", { "x-team": "a" }],
      ],
    );
    assert.deepEqual(Object.fromEntries(certificatesByHost(conf)), {
      "m.example:5000": { authorities: ["/etc/ca1.pem", `${path}/ca2.pem`], client: { cert: `${path}/client.cert`, key: "/keys/client.key" } },
      "n.example": { authorities: [], client: { cert: `${path}/both.pem`, key: `${path}/both.pem` } },
      "reg.example": { authorities: [`${path}/ca.pem`] },
    });
  });

  const bad: readonly (readonly [string, string, RegExp])[] = [
    ["no TOML", "server =", /certs\.d\/docker\.io\/hosts\.toml|Invalid TOML/],
    ["a path without override_path", '[host."https://m.example/some/path"]', /override_path/],
    ["a number for a server", "server = 5", /server/],
    ["a number for a client's certificate", "client = 5", /client: want a file/],
    ["a header that is two", 'header.x = "a\\r\\nb: c"', /header: want names and values/],
  ];
  for (const [name, text, message] of bad)
    test(`refused: ${name}`, async () => assert.rejects(asked("busybox", { "docker.io": text }), { code: "INVALID_HOSTS_TOML", message }));
});
