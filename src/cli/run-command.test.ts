import assert from "node:assert/strict";
import { test } from "node:test";
import { SlipwayError } from "../base/errors.ts";
import { commandTable } from "./definitions/index.ts";
import { flag } from "./definitions/flag.ts";
import { formatFlags } from "./help.ts";
import { runInMemory } from "./memory-cli.ts";
import { parseGlobals } from "./run-command.ts";

/** Recorded from Docker 28.5.2; the program's name apart. */
const refused: readonly (readonly [words: string, code: number, stderr: string])[] = [
  ["foo", 1, "slipway: unknown command: slipway foo\n\nRun 'slipway --help' for more information\n"],
  ["image foo", 1, "slipway: unknown command: slipway image foo\n\nUsage:  slipway image\n\nRun 'slipway image --help' for more information\n"],
  ["image --zz", 125, "unknown flag: --zz\n\nUsage:  slipway image\n\nRun 'slipway image --help' for more information\n"],
  [
    "images -aZ",
    125,
    "unknown shorthand flag: 'Z' in -Z\n\nUsage:  slipway images [OPTIONS] [REPOSITORY[:TAG]]\n\nRun 'slipway images --help' for more information\n",
  ],
  [
    "run -p",
    125,
    "flag needs an argument: 'p' in -p\n\nUsage:  slipway run [OPTIONS] IMAGE [COMMAND] [ARG...]\n\nRun 'slipway run --help' for more information\n",
  ],
  [
    "run",
    1,
    "slipway: 'slipway run' requires at least 1 argument\n\nUsage:  slipway run [OPTIONS] IMAGE [COMMAND] [ARG...]\n\nSee 'slipway run --help' for more information\n",
  ],
  [
    "exec a",
    1,
    "slipway: 'slipway exec' requires at least 2 arguments\n\nUsage:  slipway exec [OPTIONS] CONTAINER COMMAND [ARG...]\n\nSee 'slipway exec --help' for more information\n",
  ],
  [
    "tag a",
    1,
    "slipway: 'slipway tag' requires 2 arguments\n\nUsage:  slipway tag SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]\n\nRun 'slipway tag --help' for more information\n",
  ],
  ["ps x", 1, "slipway: 'slipway ps' accepts no arguments\n\nUsage:  slipway ps [OPTIONS]\n\nRun 'slipway ps --help' for more information\n"],
  [
    "image rm",
    1,
    "slipway: 'slipway image rm' requires at least 1 argument\n\nUsage:  slipway image rm [OPTIONS] IMAGE [IMAGE...]\n\nSee 'slipway image rm --help' for more information\n",
  ],
  [
    "build",
    1,
    "ERROR: slipway: 'slipway build' requires 1 argument\n\nUsage:  slipway build [OPTIONS] PATH | URL | -\n\nRun 'slipway build --help' for more information\n",
  ],
  ["build /nosuch", 1, 'ERROR: failed to build: unable to prepare context: path "/nosuch" not found\n'],
  ["build --progress=foo .", 1, "ERROR: invalid progress mode foo\n"],
  ["build -t A:b:c .", 1, 'ERROR: failed to build: invalid tag "A:b:c": invalid reference format\n'],
  ["build --build-context =/ /", 1, "ERROR: invalid context name : invalid reference format\n"],
  ["build --build-context UP=/ /", 1, "ERROR: invalid context name UP: invalid reference format: repository name (library/UP) must be lowercase\n"],
  ["build --annotation foo:a=b /", 1, 'ERROR: failed to build: parse annotations: unknown annotation type "foo"\n'],
  ["build --annotation index,foo:a=b /", 1, 'ERROR: failed to build: parse annotations: unknown annotation type "foo"\n'],
  [
    "build --annotation a.b:c=d /",
    1,
    'ERROR: failed to build: parse annotations: invalid annotation type "a.b", expected type and optional platform in square brackets\n',
  ],
  ["build --platform a/b/c/d /", 1, 'ERROR: failed to build: "a/b/c/d": cannot parse platform specifier: invalid argument\n'],
  [
    "build --platform linux/ /",
    1,
    'ERROR: failed to build: "" is an invalid component of "linux/": platform specifier component must match "^[A-Za-z0-9_.-]+$": invalid argument\n',
  ],
  ["build -o type=tar,dest=/nosuch/x.tar /", 1, "ERROR: failed to build: failed to open open /nosuch/x.tar: no such file or directory\n"],
  ["build -o type=tar,dest=/etc /", 1, "ERROR: failed to build: destination file /etc is a directory\n"],
  ["build -o /etc/hostname /", 1, "ERROR: failed to build: destination directory /etc/hostname is a file\n"],
  [
    "builder prune x",
    1,
    "ERROR: slipway: 'slipway builder prune' accepts no arguments\n\nUsage:  slipway builder prune [OPTIONS]\n\nRun 'slipway builder prune --help' for more information\n",
  ],
  [
    "import",
    1,
    "slipway: 'slipway import' requires at least 1 argument\n\nUsage:  slipway import [OPTIONS] file|URL|- [REPOSITORY[:TAG]]\n\nSee 'slipway import --help' for more information\n",
  ],
  ["import nosuch", 1, "open nosuch: no such file or directory\n"],
  ["save -o /etc busybox", 1, "failed to save image: cannot write to a directory\n"],
  ["images --tree -q", 1, "--quiet is not yet supported with --tree\n"],
  ["images --tree --digests", 1, "--show-digest is not yet supported with --tree\n"],
  [
    "tag UPPER x",
    1,
    'Error parsing reference: "UPPER" is not a valid repository/tag: invalid reference format: repository name (library/UPPER) must be lowercase\n',
  ],
  ["build -t FOO .", 1, 'ERROR: failed to build: invalid tag "FOO": repository name must be lowercase\n'],
  ["build --secret foo=bar /", 1, "ERROR: unexpected key 'foo' in 'foo=bar'\n"],
  ["build --secret src=/x /", 1, "ERROR: failed to build: secret missing ID\n"],
  ["build --secret id=x,src=/nonexist /", 1, "ERROR: failed to build: failed to stat /nonexist: stat /nonexist: no such file or directory\n"],
  [
    "build --ssh default /",
    1,
    "ERROR: failed to build: failed to convert agent config {default [] false}: invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set\n",
  ],
  ["build -o type=foo /", 1, 'ERROR: failed to build: failed to solve: exporter "foo" could not be found\n'],
  ["build -o type=local /", 1, "ERROR: failed to build: dest is required for local exporter\n"],
  ["build --build-context foo /", 1, "ERROR: invalid context value: foo, expected key=value\n"],
  ["build --add-host foo /", 1, "ERROR: failed to build: invalid host foo\n"],
  ["build --annotation foo /", 1, 'ERROR: failed to build: parse annotations: invalid annotation "foo", expected key=value\n'],
  ["build --metadata-file /nosuch/x /", 1, "ERROR: invalid output path: stat /nosuch: no such file or directory\n"],
  ["build --allow foo /", 1, "ERROR: failed to build: unknown entitlement foo\n"],
  ["build -f - -", 1, "ERROR: failed to build: invalid argument: can't use stdin for both build context and dockerfile\n"],
  ["run -it busybox sh", 1, "the input device is not a TTY\n"],
  ["exec -it c sh", 1, "the input device is not a TTY\n"],
  ["run -a stdin -d busybox", 1, "conflicting options: cannot specify both --attach and --detach\n"],
  [
    "run --pull foo busybox",
    125,
    'slipway: invalid pull option: \'foo\': must be one of "always", "missing" or "never"\n\nRun \'slipway run --help\' for more information\n',
  ],
  ["run --env-file /nosuch busybox", 125, "slipway: open /nosuch: no such file or directory\n\nRun 'slipway run --help' for more information\n"],
  ["load -i /nosuch", 1, "open /nosuch: no such file or directory\n"],
  ["save -o /nosuch/dir/x busybox", 1, "failed to save image: invalid output path: stat /nosuch/dir: no such file or directory\n"],
  [
    "inspect --type foo busybox",
    1,
    'unknown type: "foo": must be one of "config", "container", "image", "network", "node", "plugin", "secret", "service", "task", "volume"\n',
  ],
  ["inspect -f {{ x", 64, "template parsing error: template: :1: unclosed action\n"],
];

for (const [words, code, stderr] of refused) {
  test(`slipway ${words}`, async () => {
    const outcome = await runInMemory(words.split(" "));
    assert.equal(outcome.stderr, stderr);
    assert.equal(outcome.code, code);
    assert.equal(outcome.stdout, "");
  });
}

const refusedWords: readonly (readonly [words: readonly string[], stderr: string])[] = [
  [["build", ""], 'ERROR: failed to build: please specify build context (e.g. "." for the current directory)\n'],
  [["build", "-t", "", "."], 'ERROR: failed to build: invalid tag "": repository name must have at least one component\n'],
  [["build", "-t", "a\u001bb", "."], 'ERROR: failed to build: invalid tag "a\\x1bb": invalid reference format\n'],
  [
    ["build", "--platform", "", "."],
    'ERROR: failed to build: "" is an invalid OS component of "": OSAndVersion specifier component must match "^([A-Za-z0-9_-]+)(?:\\\\(([A-Za-z0-9_.%-]*)((?:\\\\+[A-Za-z0-9_.%-]+)*)\\\\))?$": invalid argument\n',
  ],
  [["tag", "", "x"], 'Error parsing reference: "" is not a valid repository/tag: invalid reference format\n'],
  [
    ["inspect", "--type", "", "x"],
    'type is empty: must be one of "config", "container", "image", "network", "node", "plugin", "secret", "service", "task", "volume"\n',
  ],
];

for (const [words, stderr] of refusedWords) {
  test(`slipway ${JSON.stringify(words)}`, async () => assert.deepEqual(await runInMemory(words), { code: 1, stdout: "", stderr }));
}

test("the environment's progress mode is checked like the flag's", async () => {
  const { code, stderr } = await runInMemory(["build", "/"], { env: { BUILDKIT_PROGRESS: "foo" } });
  assert.deepEqual([code, stderr], [1, "ERROR: invalid progress mode foo\n"]);
});

test("terminals are no place for archives", async () => {
  const saved = await runInMemory(["save", "busybox"], { isTTY: true });
  assert.deepEqual(saved, { code: 1, stdout: "", stderr: "cowardly refusing to save to a terminal. Use the -o flag or redirect\n" });
  const loaded = await runInMemory(["load"], { stdinIsTTY: true });
  assert.deepEqual(loaded, { code: 1, stdout: "", stderr: "requested load from stdin, but stdin is empty\n" });
});

test("flags without effect are accepted with a line of warning", async () => {
  const { stderr } = await runInMemory(["build", "--memory", "1g", "--rm", "--force-rm", "--compress", "/nosuch"]);
  assert.match(stderr, /^WARNING: --compress is ignored: the context is not sent anywhere\.\nWARNING: --memory is ignored: it has no effect here\.\nERROR: /);
});

test("an option that the container needs and cannot have is refused", async () => {
  const { code, stderr } = await runInMemory(["run", "--gpus", "all", "busybox"]);
  assert.equal(code, 125);
  assert.match(stderr, /could not select device driver "" with capabilities: \[\[gpu\]\]\nHint: /);
});

const engineFailures: readonly (readonly [error: SlipwayError, stderr: string, code: number])[] = [
  [new SlipwayError("not_found", "NO_SUCH_IMAGE", "No such image: x:latest"), "Error response from daemon: No such image: x:latest\n", 1],
  [new SlipwayError("data_loss", "DIGEST_MISMATCH", "blob a: got b"), "Error: blob a: got b (DIGEST_MISMATCH)\n", 1],
  [new SlipwayError("canceled", "CANCELED", "canceled"), "canceled\n", 130],
  [
    new SlipwayError("unavailable", "NO_RUNTIME", "no runtime", { remedy: "apt-get install crun" }),
    "Error response from daemon: no runtime\nHint: apt-get install crun\n",
    1,
  ],
  [new SlipwayError("not_found", "X", "evil\u001b[2J"), "Error response from daemon: evil[2J\n", 1],
];

for (const [error, stderr, code] of engineFailures) {
  test(`a failure of the engine: ${error.code}`, async () => {
    const throwing = (): never => {
      throw error;
    };
    assert.deepEqual(await runInMemory(["history", "x"], { engine: { images: { history: throwing } } }), { code, stdout: "", stderr });
  });
}

test("--debug shows stack, code and cause", async () => {
  const error = new SlipwayError("not_found", "X", "outer", { n: 1 }, new Error("inner"));
  const engine = {
    images: {
      history: (): never => {
        throw error;
      },
    },
  };
  const { stderr } = await runInMemory(["history", "x"], { engine, debug: true });
  assert.match(stderr, /outer[^]*at [^]*code X, kind not_found, details \{"n":1\}\ncaused by Error: inner/);
});

test("a container that cannot start: exit code of the failure, prefix and pointer of docker run", async () => {
  const message = 'failed to create task: exec: "x": executable file not found in $PATH';
  const run = async (): Promise<never> => {
    throw new SlipwayError("invalid_argument", "START_FAILED", message, { exitCode: 127 });
  };
  const inspect = (): never => {
    throw new SlipwayError("not_found", "NO_SUCH_IMAGE", "No such image: 0123456789ab:latest");
  };
  const { code, stderr } = await runInMemory(["run", "0123456789ab", "x"], { engine: { images: { inspect }, containers: { run } } });
  assert.equal(code, 127);
  assert.equal(stderr, `slipway: Error response from daemon: ${message}\n\nRun 'slipway run --help' for more information\n`);
});

test("help about a topic, about help, about nothing", async () => {
  const topic = await runInMemory(["help", "image", "ls"]);
  assert.deepEqual([topic.code, topic.stdout.split("\n")[0]], [0, "Usage:  slipway image ls [OPTIONS] [REPOSITORY[:TAG]]"]);
  assert.deepEqual(await runInMemory(["help", "nothing"]), { code: 1, stdout: "", stderr: "unknown help topic: nothing\n" });
  const asked = await runInMemory(["help"]);
  const bare = await runInMemory([]);
  assert.match(asked.stdout, /^Usage: {2}slipway \[OPTIONS\] COMMAND\n/);
  assert.deepEqual([(await runInMemory(["help", "help"])).stdout, bare.stderr, bare.stdout], [asked.stdout, asked.stdout, ""]);
});

test("flags are laid out and wrapped as pflag does", () => {
  // the texts of docker rmi and of docker builder prune: a layout recorded from there
  const rmi = [
    flag("force", "f", "bool", "Force removal of the image"),
    flag("no-prune", "", "bool", "Do not delete untagged parents"),
    flag("platform", "", "strings", 'Remove only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")'),
  ];
  assert.equal(
    formatFlags(rmi, 80),
    '  -f, --force              Force removal of the image\n      --no-prune           Do not delete untagged parents\n      --platform strings   Remove only the given platform variant.\n                           Formatted as "os[/arch[/variant]]" (e.g.,\n                           "linux/amd64")\n',
  );
  const prune = [
    flag("builder", "", "string", "Override the configured builder instance", { default: '"default"' }),
    flag("max-used-space", "", "bytes", "Maximum amount of disk space allowed to keep for cache"),
  ];
  assert.equal(
    formatFlags(prune, 80),
    '      --builder string         Override the configured builder instance\n                               (default "default")\n      --max-used-space bytes   Maximum amount of disk space allowed to\n                               keep for cache\n',
  );
});

test("help of every command, group and the root: on standard output, with what leads to it", async () => {
  for (const command of commandTable.commands) {
    for (const path of command.paths) {
      const { code, stdout } = await runInMemory([...path.split(" "), "--help"]);
      assert.equal(code, 0);
      assert.ok(stdout.startsWith(`Usage:  slipway ${path}`), path);
    }
  }
  const group = await runInMemory(["image", "--help"]);
  assert.match(group.stdout, /^Usage: {2}slipway image COMMAND\n\n[^]*\nCommands:\n {2}build {7}Build an image from a Dockerfile\n/);
  assert.deepEqual((await runInMemory(["images", "-h"])).stderr, "");
  assert.match((await runInMemory(["image"])).stderr, /^Usage: {2}slipway image COMMAND/);
});

test("no path is taken twice, and every flag's name and letter once", () => {
  const paths = commandTable.commands.flatMap((command) => command.paths);
  assert.equal(new Set(paths).size, paths.length);
  for (const command of commandTable.commands) {
    const names = command.flags.map((spec) => spec.name);
    const letters = command.flags.flatMap((spec) => spec.short ?? []);
    assert.equal(new Set(names).size, names.length, command.name);
    assert.equal(new Set(letters).size, letters.length, command.name);
  }
});

test("global flags stand in front of the command", () => {
  const globals = parseGlobals(commandTable.globals, ["--root=/x", "-D", "-l", "warn", "--policy-override", "d=r", "images", "-q", "--root", "y"]);
  assert.deepEqual(globals, {
    debug: true,
    root: "/x",
    policyFile: undefined,
    policyOverrides: ["d=r"],
    version: false,
    help: false,
    deprecatedHelp: false,
    words: ["images", "-q", "--root", "y"],
  });
  assert.throws(() => parseGlobals(commandTable.globals, ["-l", "foo", "images"]), { message: "Unable to parse logging level: foo" });
});

const trusts: readonly (readonly [words: string, trust: string | undefined, isRefused: boolean])[] = [
  ["pull x", "1", true],
  ["image pull x", "1", true],
  ["run x", "yes", true],
  ["create x", "true", true],
  ["push x", "1", true],
  ["pull x", "0", false],
  ["pull x", "", false],
  ["pull x", undefined, false],
  ["pull --disable-content-trust x", "1", false],
  ["pull --disable-content-trust=false x", undefined, true],
  [`pull x@sha256:${"a".repeat(64)}`, "1", false],
  ["images", "1", false],
];
for (const [words, trust, isRefused] of trusts) {
  test(`DOCKER_CONTENT_TRUST=${trust ?? "(unset)"} ${words.slice(0, 40)}`, async () => {
    const { stderr } = await runInMemory(words.split(" "), { env: trust === undefined ? {} : { DOCKER_CONTENT_TRUST: trust } });
    assert.equal(/DOCKER_CONTENT_TRUST asks for Notary's signatures/.test(stderr), isRefused, stderr);
  });
}
