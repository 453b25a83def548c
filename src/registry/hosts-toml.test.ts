import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseReference } from "../oci/reference.ts";
import { readHostsToml } from "./hosts-toml.ts";
import { endpointsFor } from "./registries-conf.ts";

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

  const bad: readonly (readonly [string, string, RegExp])[] = [
    ["no TOML", "server =", /certs\.d\/docker\.io\/hosts\.toml|Invalid TOML/],
    ["a path without override_path", '[host."https://m.example/some/path"]', /override_path/],
    ["a number for a server", "server = 5", /server/],
  ];
  for (const [name, text, message] of bad)
    test(`refused: ${name}`, async () => assert.rejects(asked("busybox", { "docker.io": text }), { code: "INVALID_HOSTS_TOML", message }));
});
