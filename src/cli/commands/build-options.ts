/** The flags of `build` as the engine's options. What Docker's client refuses by itself is refused here. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { BuildContext, BuildOptions, BuildOutput, DockerfileSource } from "../../engine/api.ts";
import { isSlipwayError } from "../../base/errors.ts";
import { booleanFromText, goQuote } from "../../base/go-text.ts";
import { httpUrlFault } from "../../base/go-url.ts";
import { parsePlatform, parseReference } from "../../oci/index.ts";
import type { Cli } from "../cli.ts";
import type { Invocation } from "../command.ts";
import { cliError } from "../failure.ts";
import { parseBool } from "../flag-value.ts";
import type { ParsedFlags } from "../flags.ts";
import { attestationOptions } from "./attest-words.ts";
import { isFetched, isHttpUrl, parseBuildArgs, parseBuildContexts, parseOutput, parseSecret, parseSsh, written } from "./build-words.ts";
import { parseCacheSources, parseCacheTargets } from "./cache-words.ts";
import { configuredProxies } from "./config-proxies.ts";
import { defaultPlatform } from "./default-platform.ts";
import { recordFrom } from "./key-value.ts";

/** a Dockerfile on standard input longer than this is none */
const maxDockerfileSize = 16 << 20;

export function contextFrom(cli: Cli, word: string): BuildContext {
  if (word === "") throw cliError(`please specify build context (e.g. "." for the current directory)`);
  if (word === "-") return { kind: "stream", source: cli.stdin.chunks };
  const fault = isHttpUrl(word) ? httpUrlFault(word) : undefined;
  if (fault?.startsWith("parse ") === true) throw cliError(fault);
  if (isFetched(word)) return { kind: "url", url: word };
  const path = resolve(cli.cwd, word);
  let isDirectory = false;
  try {
    isDirectory = statSync(path).isDirectory();
  } catch {
    // said below, in the same words
  }
  if (!isDirectory) throw cliError(`unable to prepare context: path ${goQuote(word)} not found`);
  return { kind: "directory", path };
}

async function readDockerfile(cli: Cli): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of cli.stdin.chunks) {
    size += chunk.length;
    if (size > maxDockerfileSize) throw cliError("the Dockerfile on standard input is too long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** `-f` is relative to where one stands, unless the context comes from elsewhere. */
export async function dockerfileFrom(cli: Cli, file: string, context: BuildContext): Promise<DockerfileSource | undefined> {
  if (file === "") return undefined;
  if (isHttpUrl(file)) return { kind: "url", url: file };
  if (file !== "-") return { kind: "path", path: context.kind === "directory" ? resolve(cli.cwd, file) : file };
  if (context.kind === "stream") throw cliError("invalid argument: can't use stdin for both build context and dockerfile");
  return { kind: "text", text: await readDockerfile(cli) };
}

function isReference(text: string): boolean {
  try {
    return parseReference(text) !== undefined;
  } catch {
    return false;
  }
}

/** In buildx's words, which are shorter than the engine's. */
function checkTags(tags: readonly string[]): void {
  for (const tag of tags) {
    let digest: string | undefined;
    try {
      digest = parseReference(tag).digest;
    } catch (error) {
      throw cliError(`invalid tag ${goQuote(tag)}: ${tagComplaint(tag)}`, "USAGE", {}, error);
    }
    if (digest !== undefined) throw cliError("failed to solve: build tag cannot contain a digest");
  }
}

function tagComplaint(tag: string): string {
  if (tag === "") return "repository name must have at least one component";
  return isReference(tag.toLowerCase()) ? "repository name must be lowercase" : "invalid reference format";
}

const annotationTypes: readonly string[] = ["index", "index-descriptor", "manifest", "manifest-descriptor"];

function checkAnnotations(annotations: readonly string[]): void {
  for (const annotation of annotations) {
    if (!annotation.includes("=")) throw cliError(`parse annotations: invalid annotation ${goQuote(annotation)}, expected key=value`);
    const [types, rest] = annotation.slice(0, annotation.indexOf("=")).split(":");
    for (const word of rest === undefined ? [] : (types ?? "").split(",")) checkAnnotationType(word);
  }
}

function checkAnnotationType(word: string): void {
  const type = /^([a-z-]+)(?:\[[A-Za-z0-9_/-]+\])?$/.exec(word)?.[1];
  const complaint =
    type === undefined
      ? `invalid annotation type ${goQuote(word)}, expected type and optional platform in square brackets`
      : `unknown annotation type ${goQuote(type)}`;
  if (type === undefined || !annotationTypes.includes(type)) throw cliError(`parse annotations: ${complaint}`);
}

/** `--platform`, which may name several at once, or what the environment has for all commands. Fails with USAGE in Docker's words. */
export function platformsFrom(cli: Cli, flags: ParsedFlags): readonly string[] {
  const words = flags.changed("platform") ? flags.list("platform") : (defaultPlatform(cli)?.split(",") ?? []);
  const platforms = words.flatMap((word) => word.split(",").map((part) => part.trim()));
  try {
    for (const platform of platforms) if (platform !== "local") parsePlatform(platform);
  } catch (error) {
    if (!isSlipwayError(error, "INVALID_PLATFORM")) throw error;
    throw cliError(error.message, "USAGE", {}, error);
  }
  return platforms;
}

function networkFrom(text: string): "default" | "none" | "host" {
  if (text === "default" || text === "none" || text === "host") return text;
  if (text === "") return "default";
  throw cliError(`network mode ${goQuote(text)} not supported by buildkit - use default, none or host`);
}

const entitlements: readonly string[] = ["network.host", "security.insecure", "device"];

/** `--network=host` grants what it asks for, as Docker's client does. */
function allowFrom(flags: ParsedFlags): readonly string[] {
  const allowed = flags.list("allow").flatMap((word) => word.split(","));
  const unknown = allowed.find((word) => !entitlements.includes(word.split("=")[0]!));
  if (unknown !== undefined) throw cliError(`unknown entitlement ${unknown}`);
  return flags.string("network") === "host" ? [...allowed, "network.host"] : allowed;
}

function outputsFrom(cli: Cli, flags: ParsedFlags): readonly BuildOutput[] {
  const asked = flags.list("output").map((text) => parseOutput(cli, text));
  const outputs = flags.bool("push") ? withPush(asked) : asked;
  const nameless = outputs.some((output) => pushes(output) && "attributes" in output && (output.attributes["name"] ?? "") === "");
  if (nameless && flags.list("tag").length === 0) throw cliError("tag is needed when pushing to registry");
  const keeps = outputs.some((output) => output.type === "image");
  return flags.bool("load") && !keeps ? [...outputs, { type: "image", attributes: {} }] : outputs;
}

export function pushes(output: BuildOutput): boolean {
  return output.type === "registry" || (output.type === "image" && isTrue(output.attributes["push"]));
}

/** An attribute's name alone says yes. */
function isTrue(text: string | undefined): boolean {
  return text === "" || (text !== undefined && booleanFromText(text) === true);
}

/** --push is short for an output to the registry; of outputs that keep the image it makes ones that push it. */
function withPush(outputs: readonly BuildOutput[]): readonly BuildOutput[] {
  const pushed = outputs.map((output): BuildOutput =>
    output.type === "image" ? { type: "image", attributes: { ...output.attributes, push: "true" } } : output,
  );
  return pushed.some(pushes) ? pushed : [...pushed, { type: "registry", attributes: {} }];
}

function addHostsFrom(flags: ParsedFlags): readonly string[] {
  const hosts = written(flags.list("add-host"));
  for (const host of hosts) {
    const match = /^([^:=]+)[:=](.+)$/.exec(host);
    const address = match?.[2]?.replace(/^\[(.*)\]$/, "$1") ?? "";
    if (address !== "host-gateway" && !/^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*)$/.test(address)) throw cliError(`invalid host ${host}`);
  }
  return hosts;
}

/** Docker's flag is a boolean; "own" says what it squashes. */
function squashFrom(text: string): boolean {
  return text === "own" || (text !== "" && parseBool(text));
}

/**
 * What the steps of a build depend on: context, Dockerfile, values, caches. Fails with USAGE or INPUT_FILE (invalid_argument). Reads standard
 * input when the Dockerfile is there.
 */
export async function stepOptionsFrom(cli: Cli, { flags, args }: Pick<Invocation, "flags" | "args">): Promise<BuildOptions> {
  const epoch = cli.env["SOURCE_DATE_EPOCH"];
  // as buildx does: the environment's clock counts unless a flag says otherwise
  const given = parseBuildArgs(cli, flags.list("build-arg"));
  const proxies = configuredProxies(
    cli,
    flags.list("build-arg").map((word) => word.split("=")[0] ?? ""),
  );
  const buildArgs = { ...(epoch === undefined || epoch === "" ? {} : { SOURCE_DATE_EPOCH: epoch }), ...proxies, ...given };
  const buildContexts = parseBuildContexts(cli, flags.list("build-context"));
  const secrets = written(flags.list("secret")).map((text) => parseSecret(cli, text));
  const ssh = written(flags.list("ssh")).map((text) => parseSsh(cli, text));
  const network = networkFrom(flags.string("network"));
  const context = contextFrom(cli, args[0]!);
  const dockerfile = await dockerfileFrom(cli, flags.string("file"), context);
  const target = flags.string("target");
  const shmSizeBytes = flags.bytes("shm-size");
  const platforms = platformsFrom(cli, flags);
  if (flags.bool("no-cache") && flags.list("no-cache-filter").length > 0) {
    throw cliError("--no-cache and --no-cache-filter cannot currently be used together");
  }
  return {
    context,
    buildArgs,
    buildContexts,
    secrets,
    ssh,
    network,
    cacheFrom: parseCacheSources(cli, flags.list("cache-from")),
    noCache: flags.bool("no-cache"),
    noCacheFilter: flags.list("no-cache-filter").flatMap((word) => word.split(",")),
    pull: flags.bool("pull"),
    addHosts: addHostsFrom(flags),
    ulimits: flags.list("ulimit"),
    allow: allowFrom(flags),
    signal: cli.signal,
    ...(dockerfile === undefined ? {} : { dockerfile }),
    ...(target === "" ? {} : { target }),
    ...(shmSizeBytes === undefined ? {} : { shmSizeBytes }),
    ...(platforms.length === 0 ? {} : { platforms }),
  };
}

/** A flag, or what the environment has for all builds. */
function flagOrEnv(cli: Cli, flags: ParsedFlags, flag: string, variable: string): boolean {
  const word = cli.env[variable] ?? "";
  return flags.changed(flag) ? flags.bool(flag) : word !== "" && parseBool(word);
}

/** What makes a build the same again: `--frozen`, `--reproducible`. */
export function samenessFrom(cli: Cli, flags: ParsedFlags): Pick<BuildOptions, "frozen" | "lockFile" | "reproducible"> {
  const frozen = flagOrEnv(cli, flags, "frozen", "SLIPWAY_FROZEN");
  const isSaid = flags.changed("reproducible") || (cli.env["SLIPWAY_REPRODUCIBLE"] ?? "") !== "";
  const lockFile = flags.optional("lockfile");
  if (lockFile !== undefined && !frozen) throw cliError("--lockfile wants --frozen: without it no lock is read");
  return {
    ...(isSaid ? { reproducible: flagOrEnv(cli, flags, "reproducible", "SLIPWAY_REPRODUCIBLE") } : {}),
    ...(frozen ? { frozen } : {}),
    ...(lockFile === undefined ? {} : { lockFile: resolve(cli.cwd, lockFile) }),
  };
}

export async function buildOptionsFrom(cli: Cli, invocation: Invocation): Promise<BuildOptions> {
  const { flags } = invocation;
  const tags = flags.list("tag");
  const annotations = flags.list("annotation");
  checkTags(tags);
  checkAnnotations(annotations);
  const labels = recordFrom(flags.list("label"));
  const outputs = outputsFrom(cli, flags);
  return {
    ...(await stepOptionsFrom(cli, invocation)),
    tags,
    labels,
    annotations,
    outputs,
    ...samenessFrom(cli, flags),
    cacheTo: parseCacheTargets(cli, flags.list("cache-to")),
    squash: squashFrom(flags.string("squash")),
    ...attestationOptions(cli, flags),
    stdout: (chunk) => cli.stdout.writeSlowly(chunk),
  };
}
