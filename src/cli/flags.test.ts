import assert from "node:assert/strict";
import { test } from "node:test";
import { parseFlags } from "./flags.ts";
import type { FlagSpec } from "./flags.ts";

const specs: readonly FlagSpec[] = [
  { name: "interactive", short: "i", type: "bool", usage: "" },
  { name: "tty", short: "t", type: "bool", usage: "" },
  { name: "publish", short: "p", type: "list", usage: "" },
  { name: "rm", type: "bool", usage: "" },
  { name: "pull", type: "string", usage: "", default: '"missing"' },
  { name: "tail", short: "n", type: "int", usage: "" },
  { name: "memory", short: "m", type: "bytes", usage: "" },
  { name: "platform", type: "strings", usage: "" },
  { name: "ulimit", type: "ulimit", usage: "" },
  { name: "env", short: "e", type: "env", usage: "" },
  { name: "label", short: "l", type: "label", usage: "" },
  { name: "filter", short: "f", type: "filter", usage: "" },
  { name: "sbom", type: "string", usage: "", bare: "true", values: /^(?:true|false|\w+=.*)$/ },
  { name: "blkio-weight", type: "uint16", usage: "" },
  { name: "health-interval", type: "duration", usage: "" },
  { name: "cpus", type: "decimal", usage: "" },
  { name: "attach", short: "a", type: "stream", usage: "" },
  { name: "dns-search", type: "dns-search", usage: "" },
];

test("short flags in a row, glued values, and values after an equals sign", () => {
  const { flags, args } = parseFlags(specs, ["-it", "-p8080:80", "-p=80:80", "-p", "1:2", "-n5", "--rm=false", "--pull=always", "x"]);
  assert.equal(flags.bool("interactive"), true);
  assert.equal(flags.bool("tty"), true);
  assert.deepEqual(flags.list("publish"), ["8080:80", "80:80", "1:2"]);
  assert.equal(flags.number("tail"), 5);
  assert.equal(flags.bool("rm"), false);
  assert.equal(flags.changed("rm"), true);
  assert.equal(flags.string("pull"), "always");
  assert.deepEqual(args, ["x"]);
});

test("defaults, repetition and optional values", () => {
  const { flags, args } = parseFlags(specs, ["--sbom", "--platform", "a,b", "--platform=c", "-i=false", "-itp1", "--", "-t"]);
  assert.equal(flags.string("pull"), "missing");
  assert.equal(flags.optional("pull"), undefined);
  assert.equal(flags.string("sbom"), "true");
  assert.deepEqual(flags.list("platform"), ["a", "b", "c"]);
  assert.deepEqual(flags.list("publish"), ["1"]);
  assert.deepEqual(args, ["-t"]);
  assert.equal(flags.number("tail"), undefined);
});

test("a word that can be nothing else is an optional value, too", () => {
  for (const [words, value, args] of [
    [["--sbom", "false", "."], "false", ["."]],
    [["--sbom", "generator=a", "."], "generator=a", ["."]],
    [["--sbom", "."], "true", ["."]],
    [[".", "--sbom"], "true", ["."]],
    [["--sbom=x", "true"], "x", ["true"]],
  ] as const) {
    const parsed = parseFlags(specs, words);
    assert.deepEqual([parsed.flags.string("sbom"), parsed.args], [value, args]);
  }
});

test("flags may follow arguments, unless the command says otherwise", () => {
  assert.deepEqual(parseFlags(specs, ["a", "-t", "b"]).args, ["a", "b"]);
  const stopped = parseFlags(specs, ["-i", "busybox", "sh", "-t", "--", "x"], { interspersed: false });
  assert.deepEqual(stopped.args, ["busybox", "sh", "-t", "--", "x"]);
  assert.equal(stopped.flags.bool("tty"), false);
  assert.deepEqual(parseFlags(specs, ["-i", "--", "-x"], { interspersed: false }).args, ["-x"]);
});

test("a lone dash is an argument; --help and -h ask for help", () => {
  assert.deepEqual(parseFlags(specs, ["-"]).args, ["-"]);
  assert.equal(parseFlags(specs, ["--help", "--zz"]).help, true);
  assert.equal(parseFlags(specs, ["-ih"]).deprecatedHelp, true);
});

test("bytes are binary units", () => {
  assert.equal(parseFlags(specs, ["-m", "64m"]).flags.bytes("memory"), 64 * 1024 * 1024);
  assert.equal(parseFlags(specs, ["-m1.5g"]).flags.bytes("memory"), 1.5 * 1024 ** 3);
});

/** Recorded from Docker 28.5.2. */
const refused: readonly (readonly [argv: readonly string[], message: string])[] = [
  [["--x"], "unknown flag: --x"],
  [["--x=1"], "unknown flag: --x"],
  [["-x"], "unknown shorthand flag: 'x' in -x"],
  [["-iZ"], "unknown shorthand flag: 'Z' in -Z"],
  [["--pull"], "flag needs an argument: --pull"],
  [["-p"], "flag needs an argument: 'p' in -p"],
  [["-ip"], "flag needs an argument: 'p' in -p"],
  [["--=x"], "bad flag syntax: --=x"],
  [["---x"], "bad flag syntax: ---x"],
  [["--rm=x"], 'invalid argument "x" for "--rm" flag: strconv.ParseBool: parsing "x": invalid syntax'],
  [["-i=maybe"], 'invalid argument "maybe" for "-i, --interactive" flag: strconv.ParseBool: parsing "maybe": invalid syntax'],
  [["-n", "x"], 'invalid argument "x" for "-n, --tail" flag: strconv.ParseInt: parsing "x": invalid syntax'],
  [["-m", "x"], 'invalid argument "x" for "-m, --memory" flag: invalid size: \'x\''],
  [["-e", "=x"], 'invalid argument "=x" for "-e, --env" flag: invalid environment variable: =x'],
  [["-e", ""], 'invalid argument "" for "-e, --env" flag: invalid environment variable: '],
  [["-m", "-1"], 'invalid argument "-1" for "-m, --memory" flag: invalid size: \'-1\''],
  [["-a", "x"], 'invalid argument "x" for "-a, --attach" flag: valid streams are STDIN, STDOUT and STDERR'],
  [["--dns-search", ""], 'invalid argument "" for "--dns-search" flag:  is not a valid domain'],
  [["--dns-search", "a b"], 'invalid argument "a b" for "--dns-search" flag: a b is not a valid domain'],
  [["-f", "dangling"], 'invalid argument "dangling" for "-f, --filter" flag: bad format of filter (expected name=value)'],
  [["-l", "a b"], 'invalid argument "a b" for "-l, --label" flag: label \'a b\' contains whitespaces'],
  [["--ulimit", "x"], 'invalid argument "x" for "--ulimit" flag: invalid ulimit argument: x'],
  [["--ulimit", "foo=1"], 'invalid argument "foo=1" for "--ulimit" flag: invalid ulimit type: foo'],
  [["--ulimit", "nofile=3:2"], 'invalid argument "nofile=3:2" for "--ulimit" flag: ulimit soft limit must be less than or equal to hard limit: 3 > 2'],
  [
    ["--ulimit", "nofile=1:2:3"],
    'invalid argument "nofile=1:2:3" for "--ulimit" flag: too many limit value arguments - 1:2:3, can only have up to two, `soft[:hard]`',
  ],
  [["--blkio-weight", "99999999"], 'invalid argument "99999999" for "--blkio-weight" flag: strconv.ParseUint: parsing "99999999": value out of range'],
  [["--health-interval", "x"], 'invalid argument "x" for "--health-interval" flag: time: invalid duration "x"'],
  [["--cpus", "x"], 'invalid argument "x" for "--cpus" flag: failed to parse x as a rational number'],
];

for (const [argv, message] of refused) {
  test(`refused: ${argv.join(" ")}`, () => assert.throws(() => parseFlags(specs, argv), { code: "UNKNOWN_FLAG", kind: "invalid_argument", message }));
}

test("asking for a flag that the command does not have is a mistake of ours", () => {
  assert.throws(() => parseFlags(specs, []).flags.bool("nope"), { code: "INTERNAL" });
});
