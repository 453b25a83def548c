import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ContainerConfig } from "../../oci/image-config.ts";
import type { RunOptions } from "../api.ts";
import { containerConfig, portsOf, tmpfsMounts } from "./create-options.ts";

const image: ContainerConfig = {
  Env: ["PATH=/bin", "A=image", "B=image"],
  Entrypoint: ["entry", "-e"],
  Cmd: ["cmd"],
  User: "web",
  WorkingDir: "/w",
  StopSignal: "SIGQUIT",
  ExposedPorts: { "80/tcp": {}, "53/udp": {} },
};
const config = (options: Partial<RunOptions>, base: ContainerConfig = image): ReturnType<typeof containerConfig> =>
  containerConfig({ image: "i", ...options }, base);

describe("the command", () => {
  const rows: readonly (readonly [name: string, options: Partial<RunOptions>, want: readonly string[]])[] = [
    ["of the image", {}, ["entry", "-e", "cmd"]],
    ["given: instead of the image's, behind its entrypoint", { command: ["x", "y"] }, ["entry", "-e", "x", "y"]],
    ["with another entrypoint: the image's command is dropped", { entrypoint: ["sh"] }, ["sh"]],
    ["with another entrypoint and a command", { entrypoint: ["sh"], command: ["-c", "x"] }, ["sh", "-c", "x"]],
    ["with an empty entrypoint", { entrypoint: [""], command: ["x"] }, ["x"]],
  ];
  for (const [name, options, want] of rows) test(name, () => assert.deepEqual(config(options).args, want));

  test("there must be one", () => {
    assert.throws(() => config({}, {}), { code: "NO_COMMAND", message: "no command specified" });
  });
});

test("the environment: given values replace the image's in place, a bare name takes the caller's or removes it", () => {
  process.env["SLIPWAY_TEST_GIVEN"] = "caller";
  assert.deepEqual(config({ env: ["A=1", "SLIPWAY_TEST_GIVEN", "B", "C=x=y"] }).env, ["PATH=/bin", "A=1", "SLIPWAY_TEST_GIVEN=caller", "C=x=y"]);
  assert.deepEqual(config({}, { Cmd: ["x"] }).env, ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]);
});

test("user, directory and signal: the option before the image", () => {
  const { user, cwd, stopSignal } = config({});
  assert.deepEqual([user, cwd, stopSignal], ["web", "/w", "SIGQUIT"]);
  const given = config({ user: "0", workdir: "/x", stopSignal: "9" });
  assert.deepEqual([given.user, given.cwd, given.stopSignal], ["0", "/x", "9"]);
});

test("-P publishes what the image exposes and nobody published", () => {
  const ports = (options: Partial<RunOptions>): readonly string[] =>
    portsOf({ image: "i", ...options }, image).map(({ containerPort, protocol }) => `${containerPort}/${protocol}`);
  assert.deepEqual(
    [ports({}), ports({ publish: ["8080:80"] }), ports({ publishAll: true }).toSorted(), ports({ publishAll: true, publish: ["8080:80"] })],
    [[], ["80/tcp"], ["53/udp", "80/tcp"], ["80/tcp", "53/udp"]],
  );
});

test("exposed ports are those of the image, of --expose and of -p; -P publishes --expose too", () => {
  assert.deepEqual(config({ expose: ["99", "100-101/udp"], publish: ["8080:81"] }).exposedPorts, [
    "100/udp",
    "101/udp",
    "53/udp",
    "80/tcp",
    "81/tcp",
    "99/tcp",
  ]);
  assert.deepEqual(
    portsOf({ image: "i", publishAll: true, expose: ["99"] }, {}).map(({ containerPort }) => containerPort),
    [99],
  );
});

const refused: readonly (readonly [options: Partial<RunOptions>, message: string])[] = [
  [{ stopSignal: "FOO" }, "invalid signal: FOO"],
  [{ oomScoreAdj: 2000 }, "Invalid value 2000, range for oom score adj is [-1000, 1000]"],
  [{ securityOptions: ["foo=bar"] }, 'invalid --security-opt: "foo=bar"'],
  [{ securityOptions: ["apparmor=mine"] }, 'invalid --security-opt: "apparmor=mine"'],
];
for (const [options, message] of refused) test(`refused: ${message}`, () => assert.throws(() => config(options), { message }));

test("a tmpfs has an absolute path and options that there are", () => {
  assert.throws(() => tmpfsMounts(["rel"]), { message: "invalid mount path: 'rel' mount path must be absolute" });
  assert.throws(() => tmpfsMounts(["/t:foo"]), { message: 'invalid tmpfs option "foo"' });
  assert.deepEqual(
    tmpfsMounts(["/t", "/u:ro,exec,size=1m,mode=700"]).map(({ options }) => options),
    [[], ["exec", "size=1m", "mode=700"]],
  );
});
