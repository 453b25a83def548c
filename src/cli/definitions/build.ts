/** `build` and the commands about its cache. */
import type { Command } from "../command.ts";
import { authFileFlag, flag, forceFlag, ignored, policyFlags } from "./flag.ts";
import { keylessFlags, signatureRepositoryFlag } from "./keyless-flags.ts";

/** "--provenance false", "--sbom generator=IMAGE" */
const attestationWords = /^(?:true|false|t|f|1|0|[a-z-]+=.*)$/i;

export const buildFlags = [
  flag("add-host", "", "strings", 'A line for /etc/hosts while RUN runs (form: "host:ip")'),
  flag("allow", "", "stringArray", 'Grant what a step may ask for ("network.host", "security.insecure")'),
  flag("annotation", "", "stringArray", 'Annotate the image\'s manifest (form: "[type:]key=value")'),
  flag("attest", "", "stringArray", 'What to say of the result (form: "type=provenance,mode=max", "type=sbom"; ",as=referrer": beside the index)'),
  flag("build-arg", "", "stringArray", "Value of an ARG; a name alone takes it from the environment"),
  flag("build-context", "", "stringArray", 'A further context (form: "name=path|docker-image://ref|oci-layout://dir|url")'),
  flag("builder", "", "string", "Accepted for scripts; there is one builder", { default: '"default"' }),
  flag("cache-from", "", "stringArray", 'Where to take cache from ("user/app:cache", "type=local,src=dir")'),
  flag("cache-to", "", "stringArray", 'Where to write cache to ("user/app:cache", "type=local,dest=dir", "type=inline")'),
  flag("call", "", "string", 'What to do with the Dockerfile ("build", "check", "outline", "targets"; ",format=json")', {
    default: '"build"',
    complete: ["build", "check", "outline", "targets"],
  }),
  ignored("cgroup-parent", "", "string", "Control group above those of RUN"),
  flag("check", "", "bool", 'Short for "--call=check"'),
  ignored("compress", "", "bool", "Compress the context", "the context is not sent anywhere", { hidden: true }),
  ignored("cpu-period", "", "int", "CPU period of RUN", undefined, { hidden: true }),
  ignored("cpu-quota", "", "int", "CPU quota of RUN", undefined, { hidden: true }),
  ignored("cpu-shares", "c", "int", "CPU weight of RUN", undefined, { hidden: true }),
  ignored("cpuset-cpus", "", "string", "CPUs of RUN", undefined, { hidden: true }),
  ignored("cpuset-mems", "", "string", "Memory nodes of RUN", undefined, { hidden: true }),
  flag("debug", "D", "bool", "Print details of failures and warnings"),
  flag("disable-content-trust", "", "bool", "Accepted for scripts", { default: "true", hidden: true }),
  flag("file", "f", "string", 'The Dockerfile, "-" for standard input (default: "PATH/Dockerfile")', { complete: "file" }),
  flag("force-rm", "", "bool", "Accepted for scripts", { hidden: true }),
  flag("iidfile", "", "string", "File that receives the image's id", { complete: "file" }),
  ignored("isolation", "", "string", "Isolation technology", undefined, { hidden: true }),
  flag("label", "", "stringArray", "Label of the image"),
  flag("load", "", "bool", "Keep the image in the store, which is the default"),
  ignored("memory", "m", "string", "Memory limit of RUN", undefined, { hidden: true }),
  ignored("memory-swap", "", "string", "Memory and swap limit of RUN", undefined, { hidden: true }),
  flag("metadata-file", "", "string", "File that receives the result as JSON", { complete: "file" }),
  flag("network", "", "string", 'Network of RUN ("default", "none", "host")', { default: '"default"', complete: ["default", "none", "host"] }),
  flag("no-cache", "", "bool", "Run every step again"),
  flag("no-cache-filter", "", "stringArray", "Run the steps of these stages again"),
  flag("output", "o", "stringArray", 'Where the result goes (form: "type=local,dest=path", "type=tar|docker|oci|image")', { complete: "directory" }),
  flag("platform", "", "stringArray", 'Target platforms, each built in one solve (form: "linux/amd64,linux/arm64", "local")'),
  flag("progress", "", "string", 'How progress is shown ("auto", "none", "plain", "quiet", "rawjson", "tty"). "plain" shows all output of the steps', {
    default: '"auto"',
    complete: ["auto", "none", "plain", "quiet", "rawjson", "tty"],
  }),
  flag("provenance", "", "string", 'Short for "--attest=type=provenance" ("false", "mode=min", "mode=max", "version=v1"); pushed images have "mode=min"', {
    bare: "true",
    values: attestationWords,
  }),
  flag("pull", "", "bool", "Ask the registry for newer base images"),
  flag("push", "", "bool", "Push the result: short for --output=type=registry"),
  flag("quiet", "q", "bool", "Print nothing but the image's id"),
  flag("rm", "", "bool", "Accepted for scripts", { default: "true", hidden: true }),
  flag("save-failed", "", "string", "File that receives the state of the step that fails, for slipway debug on another machine", { complete: "file" }),
  flag("sbom", "", "string", 'Short for "--attest=type=sbom": the packages in the image', { bare: "true", values: attestationWords }),
  flag("secret", "", "stringArray", 'Secret for RUN --mount=type=secret (form: "id=name[,src=file|,env=NAME]")'),
  ignored("security-opt", "", "stringArray", "Security options", 'use "RUN --security=insecure"', { hidden: true }),
  flag("shm-size", "", "bytes", "Size of /dev/shm while RUN runs"),
  flag("squash", "", "squash", 'Make one layer of what this Dockerfile adds and leave the base\'s layers as they are ("own"; alone it means the same)', {
    bare: "own",
    complete: ["own"],
  }),
  flag("ssh", "", "stringArray", 'SSH agent or keys for RUN --mount=type=ssh (form: "default|<id>[=<socket>|<key>[,<key>]]")'),
  flag("tag", "t", "stringArray", 'Name of the image (form: "name:tag")'),
  flag("target", "", "string", "Stage to build, instead of the last"),
  flag("ulimit", "", "ulimit", 'Resource limit of RUN (form: "nofile=1024:2048")', { default: "[]" }),
] as const;

/** Those of `build` that its steps depend on. */
export const stepFlagNames: readonly string[] = [
  "add-host",
  "allow",
  "build-arg",
  "build-context",
  "cache-from",
  "file",
  "network",
  "no-cache",
  "no-cache-filter",
  "platform",
  "progress",
  "pull",
  "secret",
  "shm-size",
  "ssh",
  "target",
  "ulimit",
];
export const stepFlags = buildFlags.filter(({ name }) => stepFlagNames.includes(name));

const lockfileFlag = flag("lockfile", "", "string", 'The lock (default: "slipway.lock" beside the Dockerfile, else in the context)', { complete: "file" });

/** Flags of builds that are to be the same again. */
export const samenessFlags = [
  flag("frozen", "", "bool", "Take everything remote as slipway.lock has it, and nothing else"),
  lockfileFlag,
  flag(
    "reproducible",
    "",
    "bool",
    "Give all files the commit's time (or SOURCE_DATE_EPOCH) and git's modes; false: leave a checkout's files as they lie there",
  ),
];

/** Flags of the build that decide what a Dockerfile names. */
const namingFlags = buildFlags.filter(({ name }) => ["build-arg", "build-context", "platform", "progress", "target"].includes(name));

const signFlags = [
  flag("key", "", "string", "With --sign, file of the private key", { complete: "file" }),
  flag("sign", "", "bool", "Sign what is pushed, each platform's image too (as sign does)"),
  ...keylessFlags,
  signatureRepositoryFlag,
];

export const buildCommands: readonly Command[] = [
  {
    name: "build",
    short: "Build an image from a Dockerfile",
    long: 'Builds an image from a Dockerfile and a context: a directory, a git or http URL, or "-" for a tar archive or a lone Dockerfile on standard input.\n\nEach finished step is kept at once: a build that fails resumes where it stopped, and a step that runs says why it was not taken from the cache.',
    usage: "[OPTIONS] PATH | URL | -",
    flags: [...buildFlags, authFileFlag, ...policyFlags, ...samenessFlags, ...signFlags],
    args: { min: 1, max: 1 },
    paths: ["build", "image build", "builder build", "buildx build", "buildx b"],
    group: "common",
    complete: "directory",
    examples: [
      { text: "An image of the current directory", command: "slipway build -t myapp:1.0 ." },
      { text: "Another Dockerfile, and one stage of it", command: "slipway build -f docker/Dockerfile.dev --target test ." },
      { text: "A value for ARG VERSION, another from the environment", command: "slipway build --build-arg VERSION=1.2 --build-arg HTTP_PROXY ." },
      { text: "The files of the last stage into a directory, without an image", command: "slipway build -o out ." },
      { text: "One image for two platforms", command: "slipway build --platform linux/amd64,linux/arm64 -t myapp:1.0 ." },
      { text: "A Dockerfile on standard input", command: "slipway build -t tiny - < Dockerfile" },
      { text: "Warnings about the Dockerfile, without building", command: "slipway build --check ." },
      { text: "What a target takes, as JSON", command: "slipway build --call=outline,format=json --target test ." },
      { text: "On exactly the bases and downloads that slipway.lock has", command: "slipway build --frozen -t myapp:1.0 ." },
      { text: "The same image on every machine", command: "slipway build --frozen --reproducible -t myapp:1.0 ." },
      { text: "A secret that reaches one step and no layer", command: "slipway build --secret id=token,env=TOKEN ." },
    ],
    load: async () => (await import("../commands/build.ts")).runBuild,
  },
  {
    name: "lock",
    short: "Pin everything remote that a Dockerfile names",
    long: 'Writes slipway.lock beside the Dockerfile: the digest of each image that FROM, COPY --from, RUN --mount and "# syntax=" name, the image of --sbom=generator=IMAGE, the checksum of each file and the commit of each repository that ADD names, in all stages and with the build args that are given. What a Dockerfile pins itself, with a digest or --checksum, is left to it. A build with --frozen takes exactly that, wherever tags have moved to.\n\nWhat the lock has already stays as it is: --update asks again, for all of it or for the names that are given, and shows what changed. Several Dockerfiles (-f again and again) share one lock.\n\nExit codes of --check: 0 the lock has all that is named and nothing else, 1 it does not.',
    usage: "[OPTIONS] PATH [NAME...]",
    flags: [
      ...namingFlags,
      flag("attest", "", "stringArray", 'The build\'s --attest: the image of "type=sbom,generator=IMAGE" is pinned too'),
      flag("builtin-syntax", "", "bool", 'Leave out what "# syntax=" names: no image is needed for it here (the lock remembers that)'),
      flag("check", "", "bool", "Write nothing; fail unless the lock is up to date with the Dockerfile (with --update: and with the registries)"),
      flag("file", "f", "stringArray", 'A Dockerfile, "-" for standard input (default: "PATH/Dockerfile")', { complete: "file" }),
      flag("keep", "", "bool", "Keep entries that are not needed with these build args"),
      lockfileFlag,
      flag("output", "o", "string", 'How to write the result ("text", "json")', { default: '"text"', complete: ["text", "json"] }),
      flag("quiet", "q", "bool", "Print nothing but failures"),
      flag("sbom", "", "string", 'The build\'s --sbom: the image of "generator=IMAGE" is pinned too', { bare: "true" }),
      flag("update", "", "bool", "Ask again what everything is now, or only what the names mean"),
    ],
    args: { min: 1 },
    paths: ["lock"],
    group: "plain",
    complete: "directory",
    examples: [
      { text: "Before the first build with --frozen", command: "slipway lock ." },
      { text: "What has moved since, written down", command: "slipway lock --update ." },
      { text: "One base only", command: "slipway lock --update . node:24-slim" },
      { text: "Two Dockerfiles, one lock", command: "slipway lock -f api/Dockerfile -f web/Dockerfile ." },
      { text: "In CI: is the lock complete?", command: "slipway lock --check ." },
    ],
    load: async () => (await import("../commands/lock.ts")).runLock,
  },
  {
    name: "prune",
    short: "Remove build cache",
    usage: "[OPTIONS]",
    flags: [
      flag("all", "a", "bool", "Also remove cache that images still use"),
      flag("builder", "", "string", "Accepted for scripts; there is one builder", { hidden: true }),
      flag("debug", "D", "bool", "Print details of failures", { hidden: true }),
      flag("filter", "", "filter", 'Which records (e.g. "until=24h")'),
      forceFlag,
      flag("keep-storage", "", "bytes", "Stop when no more than this is left"),
      flag("max-used-space", "", "bytes", "Stop when no more than this is left"),
      flag("min-free-space", "", "bytes", "Disk space that shall be free afterwards"),
      flag("reserved-space", "", "bytes", "Cache up to this size is left alone"),
      flag("verbose", "", "bool", "Say more of each record"),
    ],
    args: { min: 0, max: 0 },
    paths: ["builder prune", "buildx prune"],
    load: async () => (await import("../commands/builder-prune.ts")).runBuilderPrune,
  },
];
