import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import type { RegistriesConf } from "../../registry/index.ts";
import { serve } from "../../registry/fixtures/loopback-server.ts";
import { registriesFinding, registriesFindingOf, registryConfigOf } from "./registries.ts";

const entry = (prefix: string, more: object = {}) => ({ prefix, location: prefix, insecure: false, blocked: false, mirrors: [], source: "/etc/x", ...more });
const mirror = (location: string, insecure = false) => ({ location, insecure, pullFromMirror: "all" as const });
const conf: RegistriesConf = [
  entry("docker.io", { mirrors: [mirror("127.0.0.1:5000", true), mirror("m.example/hub")], source: "SLIPWAY_MIRRORS" }),
  entry("reg.example:5000", { insecure: true }),
  entry("10.0.0.0/8", { insecure: true }),
  entry("evil.example", { blocked: true }),
  entry("*", { mirrors: [mirror("all.example")] }),
];

test("in Docker's shape", () => {
  const named = (name: string, mirrors: readonly string[], secure: boolean) => ({
    Mirrors: mirrors,
    Name: name,
    Official: name === "docker.io",
    Secure: secure,
  });
  const mirrors = ["http://127.0.0.1:5000/", "https://m.example/hub/"];
  assert.deepEqual(registryConfigOf(conf), {
    IndexConfigs: {
      "reg.example:5000": named("reg.example:5000", [], false),
      "*": named("*", ["https://all.example/"], true),
      "docker.io": named("docker.io", mirrors, true),
    },
    InsecureRegistryCIDRs: ["10.0.0.0/8", "::1/128", "127.0.0.0/8"],
    Mirrors: mirrors,
  });
  assert.deepEqual(registryConfigOf([]), {
    IndexConfigs: { "docker.io": named("docker.io", [], true) },
    InsecureRegistryCIDRs: ["::1/128", "127.0.0.0/8"],
    Mirrors: [],
  });
});

test("for doctor: who is asked elsewhere, and why", () => {
  const { status, message } = registriesFindingOf(conf);
  assert.deepEqual(
    [status, message.split("; ")],
    [
      "ok",
      [
        "docker.io through http://127.0.0.1:5000/, https://m.example/hub/ (SLIPWAY_MIRRORS)",
        "evil.example is blocked (/etc/x)",
        "all others through https://all.example/ (/etc/x)",
      ],
    ],
  );
  assert.equal(registriesFindingOf([]).message, "no mirrors");
});

test("for doctor: a mirror that does not answer, and one that refuses, which is there", async (t) => {
  await using alive = await serve({ "/*": (_, response) => void response.writeHead(401).end() });
  const gone = await serve({});
  await gone[Symbol.asyncDispose]();
  const file = join(mkdtempSync(join(tmpdir(), "slipway-doctor-")), "registries.conf");
  t.after(() => rmSync(dirname(file), { recursive: true }));
  const mirrors = [alive, gone].map(({ host }) => `[[registry.mirror]]\nlocation="${host}/hub"\ninsecure=true\n`);
  writeFileSync(file, `[[registry]]\nprefix="docker.io"\nlocation="docker.io"\n${mirrors.join("")}`);
  const before = process.env["CONTAINERS_REGISTRIES_CONF"];
  process.env["CONTAINERS_REGISTRIES_CONF"] = file;
  t.after(() => (before === undefined ? delete process.env["CONTAINERS_REGISTRIES_CONF"] : (process.env["CONTAINERS_REGISTRIES_CONF"] = before)));
  const { status, message, remedy } = await registriesFinding();
  assert.equal(status, "warning");
  assert.ok(message.includes(`; http://${gone.host}/hub/ does not answer: `), message);
  assert.ok(!message.includes(`http://${alive.host}/hub/ does not answer`), message);
  assert.match(remedy ?? "", /take it out of the file/);
});
