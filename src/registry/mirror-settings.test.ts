import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseReference } from "../oci/reference.ts";
import { withMirrorSettings } from "./mirror-settings.ts";
import { endpointsFor, parseRegistriesConf } from "./registries-conf.ts";

interface Setting {
  readonly mirrors?: string;
  readonly daemonJson?: string;
  readonly userDaemonJson?: string;
  readonly registriesConf?: string;
}

/** "host/repository[ http][ unverified]" of all that is asked for the reference, in order. */
async function asked(reference: string, { mirrors, daemonJson, userDaemonJson, registriesConf = "" }: Setting): Promise<readonly string[]> {
  const texts: Readonly<Record<string, string | undefined>> = { "/etc/docker/daemon.json": daemonJson, "/home/u/.config/docker/daemon.json": userDaemonJson };
  const files = { readText: (path: string) => texts[path], list: () => [] };
  const conf = withMirrorSettings(await parseRegistriesConf(registriesConf, "f"), { SLIPWAY_MIRRORS: mirrors }, "/home/u", files);
  return endpointsFor(parseReference(reference), conf).map(
    ({ host, repository, schemes, verifyTls }) => `${host}/${repository}${schemes.includes("http") ? " http" : ""}${verifyTls ? "" : " unverified"}`,
  );
}

describe("who is asked", () => {
  const hub = "registry-1.docker.io/library/busybox";
  const ranges = JSON.stringify({ "insecure-registries": ["10.0.0.0/8", "fd00::/8", "reg.example:5000"] });
  const table: readonly (readonly [string, string, Setting, readonly string[]])[] = [
    ["nothing is set", "busybox", {}, [hub]],
    ["one mirror", "busybox", { mirrors: "docker.io=mirror.example" }, ["mirror.example/library/busybox", hub]],
    [
      "several, in their order",
      "busybox",
      { mirrors: "docker.io=b.example:8443/hub/, ghcr.io=c.example,docker.io=http://a.example" },
      ["b.example:8443/hub/library/busybox", "a.example/library/busybox http unverified", hub],
    ],
    ["of any registry", "ghcr.io/x/y", { mirrors: "ghcr.io=c.example" }, ["c.example/x/y", "ghcr.io/x/y"]],
    ["another registry's mirror", "quay.io/x/y", { mirrors: "ghcr.io=c.example" }, ["quay.io/x/y"]],
    ["Docker's mirrors are Docker Hub's", "busybox", { daemonJson: '{"registry-mirrors":["https://m.example/"]}' }, ["m.example/library/busybox", hub]],
    ["Docker's mirrors are no other registry's", "ghcr.io/x/y", { daemonJson: '{"registry-mirrors":["https://m.example"]}' }, ["ghcr.io/x/y"]],
    ["the user's daemon.json hides the system's", "busybox", { daemonJson: '{"registry-mirrors":["https://m.example"]}', userDaemonJson: "{}" }, [hub]],
    [
      "the setting counts before registries.conf, and that before daemon.json",
      "busybox",
      { mirrors: "docker.io=own.example", registriesConf: '[[registry]]\nlocation = "docker.io"\n[[registry.mirror]]\nlocation = "conf.example"\n' },
      ["own.example/library/busybox", hub],
    ],
    [
      "registries.conf before daemon.json",
      "busybox",
      {
        daemonJson: '{"registry-mirrors":["https://m.example"]}',
        registriesConf: '[[registry]]\nlocation = "docker.io"\n[[registry.mirror]]\nlocation = "conf.example"\n',
      },
      ["conf.example/library/busybox", hub],
    ],
    ["an insecure host", "reg.example:5000/a", { daemonJson: ranges }, ["reg.example:5000/a http unverified"]],
    ["the same host at another port", "reg.example/a", { daemonJson: ranges }, ["reg.example/a"]],
    ["a range of addresses", "10.1.2.3:5000/a/b", { daemonJson: ranges }, ["10.1.2.3:5000/a/b http unverified"]],
    ["outside of the range", "11.1.2.3:5000/a", { daemonJson: ranges }, ["11.1.2.3:5000/a"]],
    ["a range of IPv6", "[fd00::5]:5000/a", { daemonJson: ranges }, ["[fd00::5]:5000/a http unverified"]],
    [
      "an insecure host as a mirror",
      "ghcr.io/x/y",
      { mirrors: "ghcr.io=reg.example:5000", daemonJson: ranges },
      ["reg.example:5000/x/y http unverified", "ghcr.io/x/y"],
    ],
    ["an empty file", "busybox", { daemonJson: " \n" }, [hub]],
  ];
  for (const [name, reference, setting, want] of table) test(name, async () => assert.deepEqual(await asked(reference, setting), want));
});

describe("what is refused", () => {
  const table: readonly (readonly [string, Setting, string, RegExp])[] = [
    ["no registry", { mirrors: "mirror.example" }, "INVALID_MIRRORS", /^SLIPWAY_MIRRORS: "mirror\.example" is not of the form/],
    ["no mirror", { mirrors: "docker.io=" }, "INVALID_MIRRORS", /form/],
    ["another scheme", { mirrors: "docker.io=ftp://x" }, "INVALID_MIRRORS", /form/],
    ["a password", { mirrors: "docker.io=https://u:p@x" }, "INVALID_MIRRORS", /form/],
    ["no JSON", { daemonJson: "{" }, "INVALID_DAEMON_JSON", /daemon\.json/],
    ["mirrors that are no list", { daemonJson: '{"registry-mirrors":"https://x"}' }, "INVALID_DAEMON_JSON", /registry-mirrors/],
    ["a mirror without a scheme", { daemonJson: '{"registry-mirrors":["x"]}' }, "INVALID_DAEMON_JSON", /registry-mirrors/],
    ["a range that is none", { daemonJson: '{"insecure-registries":["10.0.0.0/99"]}' }, "INVALID_DAEMON_JSON", /insecure-registries/],
  ];
  for (const [name, setting, code, message] of table) test(name, () => assert.rejects(asked("busybox", setting), { kind: "invalid_argument", code, message }));
});
