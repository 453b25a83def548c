import assert from "node:assert/strict";
import { test } from "node:test";
import { runInMemory } from "../memory-cli.ts";

const engine = {
  system: {
    info: async () => ({
      Containers: 3,
      ContainersRunning: 1,
      ContainersPaused: 0,
      ContainersStopped: 2,
      Images: 4,
      ServerVersion: "1.2.3",
      Driver: "overlayfs",
      LoggingDriver: "json-file",
      CgroupDriver: "cgroupfs",
      CgroupVersion: "2",
      Runtimes: { crun: { path: "crun" }, runc: { path: "runc" } },
      DefaultRuntime: "crun",
      SecurityOptions: ["name=seccomp,profile=builtin", "name=rootless"],
      KernelVersion: "6.1",
      OperatingSystem: "Debian\u001b[2J",
      OSType: "linux",
      Architecture: "x86_64",
      NCPU: 2,
      MemTotal: 25_275_000_000,
      Name: "host",
      DockerRootDir: "/s",
      RegistryConfig: {
        IndexConfigs: {
          "localhost:5000": { Mirrors: [], Name: "localhost:5000", Official: false, Secure: false },
          "docker.io": { Mirrors: ["http://127.0.0.1:5000/"], Name: "docker.io", Official: true, Secure: true },
        },
        InsecureRegistryCIDRs: ["::1/128", "127.0.0.0/8"],
        Mirrors: ["http://127.0.0.1:5000/"],
      },
    }),
  },
};

test("the layout of docker info", async () => {
  const { code, stdout } = await runInMemory(["info"], { engine });
  assert.equal(code, 0);
  assert.deepEqual(stdout.slice(stdout.indexOf("Server:")).split("\n"), [
    "Server:",
    " Containers: 3",
    "  Running: 1",
    "  Paused: 0",
    "  Stopped: 2",
    " Images: 4",
    " Server Version: 1.2.3",
    " Storage Driver: overlayfs",
    " Logging Driver: json-file",
    " Cgroup Driver: cgroupfs",
    " Cgroup Version: 2",
    " Runtimes: crun runc",
    " Default Runtime: crun",
    " Security Options:",
    "  seccomp",
    "   Profile: builtin",
    "  rootless",
    " Kernel Version: 6.1",
    " Operating System: Debian[2J",
    " OSType: linux",
    " Architecture: x86_64",
    " CPUs: 2",
    " Total Memory: 23.54GiB",
    " Name: host",
    " Docker Root Dir: /s",
    " Debug Mode: false",
    " Experimental: false",
    " Insecure Registries:",
    "  localhost:5000",
    "  ::1/128",
    "  127.0.0.0/8",
    " Registry Mirrors:",
    "  http://127.0.0.1:5000/",
    " Live Restore Enabled: false",
    "",
    "",
  ]);
});

const templates: readonly (readonly [template: string, want: string])[] = [
  ["{{.OSType}}/{{.Architecture}} {{.NCPU}}", "linux/x86_64 2"],
  ["{{.Swarm.LocalNodeState}}", "inactive"],
  ["{{range $name, $runtime := .Runtimes}}{{$name}} {{end}}", "crun runc "],
  ["{{json .Runtimes}}", '{"crun":{"path":"crun"},"runc":{"path":"runc"}}'],
  ["{{range .RegistryConfig.Mirrors}}{{.}}{{end}} {{.RegistryConfig.InsecureRegistryCIDRs}}", "http://127.0.0.1:5000/ [::1/128 127.0.0.0/8]"],
  ['{{(index .RegistryConfig.IndexConfigs "docker.io").Secure}}', "true"],
  ["{{.Debug}} {{.ExperimentalBuild}} {{.HTTPProxy}} {{.Warnings}}", "false false http://p []"],
];

for (const [template, want] of templates) {
  test(template, async () => {
    assert.deepEqual(await runInMemory(["info", "-f", template], { engine, env: { HTTP_PROXY: "http://p" } }), { code: 0, stdout: `${want}\n`, stderr: "" });
  });
}
