/** RUN → an exec vertex. */
import { goQuote } from "../base/go-text.ts";
import { posix } from "node:path";
import { SlipwayError } from "../base/errors.ts";
import type { Heredoc, LineRange, RunInstruction, RunMount } from "../dockerfile/instruction.ts";
import { parseRunMount } from "../dockerfile/run-mount.ts";
import { formatStepName } from "../dockerfile/step-name.ts";
import { runCreatedBy } from "./created-by.ts";
import type { ExecMount, ExecOp } from "./op.ts";
import { proxyVariables } from "./platform-args.ts";
import { absolutePath, cleanPath, defaultPath, type StageState } from "./stage-state.ts";
import { formatVariables } from "./variables.ts";
import { createVertex, plainMetadata, scratchVertex, type Vertex } from "./vertex.ts";

export interface RunSurroundings {
  readonly network: "default" | "none" | "host";
  readonly extraHosts: readonly string[];
  readonly shmSizeBytes: number | undefined;
  readonly ulimits: readonly string[];
  readonly buildArgs: ReadonlyMap<string, string>;
  /** SOURCE_DATE_EPOCH, seconds */
  readonly epoch: number | undefined;
  /** commands see SOURCE_DATE_EPOCH without ARG: compilers and archivers that know it leave the clock out of what they write */
  readonly epochInRun?: boolean;
  /** the vertex behind `from=`, or the build context for undefined */
  readonly source: (from: string | undefined, lines: LineRange, mountTarget: string) => Vertex | undefined;
}

/** An inputs list without repeats that grows while mounts are lowered, and the number of agents without a place of their own. */
class Inputs {
  readonly list: Vertex[] = [];
  agents = 0;

  index(vertex: Vertex): number {
    const known = this.list.findIndex((input) => input.digest === vertex.digest);
    return known >= 0 ? known : this.list.push(vertex) - 1;
  }
}

export function lowerRun(state: StageState, instruction: RunInstruction, surroundings: RunSurroundings): void {
  const { lines } = instruction;
  refuseDevices(instruction);
  const command = runCommand(state, instruction);
  const inputs = new Inputs();
  if (state.root !== undefined) inputs.list.push(state.root);
  const mounts = instruction.mounts.map((value) =>
    lowerMount(
      state,
      parseRunMount(value, (word) => state.expand(word, lines)),
      inputs,
      surroundings,
      lines,
    ),
  );
  if (command.script !== undefined) mounts.push(scriptMount(state, command.script, inputs));
  // a parent comes before what lies in it, whatever the order that they were written in
  const sorted = mounts.toSorted((a, b) => compareText(a.target ?? "", b.target ?? ""));
  const agent = mounts.find((mount) => mount.type === "ssh")?.target;
  const env = environmentOf(state, agent, surroundings.epochInRun === true ? surroundings.epoch : undefined);
  const op: ExecOp = {
    type: "exec",
    scratchBase: state.root === undefined,
    args: command.args,
    env,
    cwd: state.workdir,
    user: state.config.User ?? "",
    mounts: sorted,
    network: networkOf(instruction, surroundings.network),
    security: securityOf(instruction),
    extraHosts: surroundings.extraHosts,
    hostname: surroundings.buildArgs.get("BUILDKIT_SANDBOX_HOSTNAME") ?? "buildkitsandbox",
    shmSizeBytes: surroundings.shmSizeBytes,
    ulimits: surroundings.ulimits,
    platform: state.context.platform,
    epoch: surroundings.epoch,
    proxyEnv: proxyVariables(surroundings.buildArgs),
  };
  const name = formatStepName(instruction, state.variables, { escape: state.context.escape });
  const declared = Array.from(state.declaredArgs, (key): readonly [string, string] => [key, state.variables.get(key) ?? state.scanWords.get(key) ?? ""]);
  const vertex = createVertex(op, inputs.list, {
    ...state.metadata(instruction, `${state.nextPrefix()}${name}`, name),
    arguments: Object.fromEntries(declared),
    shell: state.shell,
  });
  state.root = vertex;
  state.addHistory(runCreatedBy(command.args, formatVariables(new Map(declared))), vertex);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What the command sees but for proxies that are not declared. `agent`: the first ssh mount, there or not. */
function environmentOf(state: StageState, agent: string | undefined, epoch: number | undefined): readonly string[] {
  const missing = (name: string): boolean => !state.variables.has(name);
  return [
    ...formatVariables(state.variables),
    ...(missing("PATH") ? [`PATH=${defaultPath}`] : []),
    ...(epoch !== undefined && missing("SOURCE_DATE_EPOCH") ? [`SOURCE_DATE_EPOCH=${epoch}`] : []),
    ...(agent !== undefined && missing("SSH_AUTH_SOCK") ? [`SSH_AUTH_SOCK=${agent}`] : []),
  ];
}

interface RunCommand {
  readonly args: readonly string[];
  /** a heredoc that begins with `#!`: it becomes a file and is executed */
  readonly script: Heredoc | undefined;
}

function runCommand(state: StageState, instruction: RunInstruction): RunCommand {
  const { form, args, heredocs } = instruction.command;
  if (form === "exec") return { args, script: undefined };
  const [line = ""] = args;
  const [first] = heredocs;
  if (first === undefined) return { args: [...state.shell, line], script: undefined };
  if (!/^\d*<<-?(?:"[^"]*"|'[^']*'|[^\s"'<]+)$/.test(line.trim())) {
    // The shell itself reads the heredocs: give it the text as it stood.
    const full = heredocs.reduce((text, heredoc) => `${text}\n${heredoc.raw}${heredoc.name}`, line);
    return { args: [...state.shell, full], script: undefined };
  }
  // of <<- too as it is written, before the tabs go
  if (first.raw.startsWith("#!")) return { args: [...state.shell, `/dev/pipes/${first.name}`], script: first };
  return { args: [...state.shell, first.content], script: undefined };
}

function scriptMount(state: StageState, script: Heredoc, inputs: Inputs): ExecMount {
  const file = createVertex(
    {
      type: "file",
      scratchBase: true,
      epoch: undefined,
      actions: [{ type: "mkfile", destination: `/${script.name}`, name: script.name, content: script.content, chmod: "0755", chown: undefined }],
    },
    [],
    plainMetadata({ name: "[internal] preparing inline document", slot: `${state.context.contextId}|inline`, description: "inline document" }),
  );
  return { type: "bind", input: inputs.index(file), source: "/", target: "/dev/pipes/", readonly: true };
}

function networkOf(instruction: RunInstruction, fallback: "default" | "none" | "host"): "default" | "none" | "host" {
  const { network } = instruction;
  if (network === undefined || network === "default") return network === "default" ? "default" : fallback;
  if (network === "none" || network === "host") return network;
  throw new SlipwayError("invalid_argument", "DOCKERFILE_PARSE", `unsupported network mode: ${goQuote(network)}`, { lines: instruction.lines });
}

/** Devices of the machine are given to no build step. */
function refuseDevices({ devices, lines }: RunInstruction): void {
  if (devices.length === 0) return;
  const message = "device feature is only supported in Dockerfile frontend 1.14.0-labs or later";
  throw new SlipwayError("invalid_argument", "DOCKERFILE_PARSE", message, { lines, culprit: "--device" });
}

function securityOf(instruction: RunInstruction): "sandbox" | "insecure" {
  if (instruction.security === undefined || instruction.security === "sandbox") return "sandbox";
  if (instruction.security === "insecure") return "insecure";
  throw new SlipwayError("invalid_argument", "DOCKERFILE_PARSE", `security mode ${goQuote(instruction.security)} is not valid`, {
    lines: instruction.lines,
  });
}

function lowerMount(state: StageState, mount: RunMount, inputs: Inputs, surroundings: RunSurroundings, lines: LineRange): ExecMount {
  const target = mount.target === undefined ? undefined : absolutePath(mount.target, state.workdir);
  // without a target it is the working directory
  const place = target ?? state.workdir;
  switch (mount.type) {
    case "tmpfs":
      return { type: "tmpfs", target: required(place, lines), sizeBytes: mount.sizeBytes, ...(mount.readonly ? { readonly: true } : {}) };
    case "cache":
      return cacheMount(state, mount, required(place, lines), inputs, surroundings, lines);
    case "bind": {
      const { vertex, source } = mountSource(state, surroundings.source(mount.from, lines, target ?? ""), cleanPath(`/${mount.source ?? ""}`), lines);
      return { type: "bind", input: inputs.index(vertex), source, target: required(place, lines), readonly: mount.readonly };
    }
    case "secret":
      return secretMount(mount, target, lines);
    case "ssh": {
      if (mount.source !== undefined) throw new SlipwayError("invalid_argument", "DOCKERFILE_PARSE", "ssh does not support source", { lines });
      const id = mount.id ?? "default";
      const path = target ?? `/run/buildkit/ssh_agent.${inputs.agents++}`;
      return { type: "ssh", id, target: path, required: mount.required, mode: permissionsOf(mount) ?? 0o600, uid: mount.uid ?? 0, gid: mount.gid ?? 0 };
    }
  }
}

function required(target: string, lines: LineRange): string {
  if (cleanPath(target) !== "/") return cleanPath(target);
  throw new SlipwayError("invalid_argument", "DOCKERFILE_PARSE", `invalid mount target ${goQuote(target)}`, { lines });
}

function cacheMount(state: StageState, mount: RunMount, target: string, inputs: Inputs, surroundings: RunSurroundings, lines: LineRange): ExecMount {
  const source = cleanPath(`/${mount.source ?? ""}`);
  // with an owner or a mode BuildKit makes a directory of its own, and only a named source takes its place
  const isOwnDirectory = source === "/" && [mount.mode, mount.uid, mount.gid].some((given) => given !== undefined);
  const from = mount.from === undefined || isOwnDirectory ? undefined : mountSource(state, surroundings.source(mount.from, lines, target), source, lines);
  // Docker's name for it is the target as written, so `target=x` is one cache in every working directory
  const id = mount.id === undefined || mount.id === "" ? posix.normalize(mount.target ?? ".").replace(/(?<=.)\/$/, "") : mount.id;
  const namespace = surroundings.buildArgs.get("BUILDKIT_CACHE_MOUNT_NS") ?? "";
  return {
    type: "cache",
    id: namespace === "" ? id : `${namespace}/${id}`,
    sharing: mount.sharing ?? "shared",
    target,
    readonly: mount.readonly,
    input: from === undefined ? undefined : inputs.index(from.vertex),
    source: from?.source ?? "/",
    mode: permissionsOf(mount),
    uid: mount.uid,
    gid: mount.gid,
  };
}

/** Docker loses setuid, setgid and sticky. */
function permissionsOf({ mode }: RunMount): number | undefined {
  return mode === undefined ? undefined : mode & 0o777;
}

function secretMount(mount: RunMount, target: string | undefined, lines: LineRange): ExecMount {
  const id = mount.id ?? mount.source ?? target?.slice(target.lastIndexOf("/") + 1) ?? "";
  if (id === "") throw new SlipwayError("invalid_argument", "DOCKERFILE_PARSE", "one of source, target required", { lines });
  const file = target ?? (mount.env === undefined ? `/run/secrets/${id.slice(id.lastIndexOf("/") + 1)}` : undefined);
  return {
    type: "secret",
    id,
    target: file,
    env: mount.env,
    required: mount.required,
    mode: permissionsOf(mount) ?? 0o400,
    uid: mount.uid ?? 0,
    gid: mount.gid ?? 0,
  };
}

/** What a step sees of a client's directory is a layer of its own: fixed while the step runs, and without what is ignored. */
function mountSource(state: StageState, from: Vertex | undefined, source: string, lines: LineRange): { readonly vertex: Vertex; readonly source: string } {
  const vertex = from ?? scratchVertex(state.context.contextId);
  if (vertex.op.type !== "local" && vertex.op.type !== "git" && vertex.op.type !== "http") return { vertex, source };
  const whole = source === "/";
  const name = whole ? "/context" : source;
  // With its parents, because then a directory keeps its own mode.
  const copy = {
    type: "copy",
    input: 0,
    sources: [source],
    destination: whole ? name : "/",
    chmod: undefined,
    chown: undefined,
    exclude: [],
    parents: !whole,
    unpack: false,
    verb: "COPY",
  } as const;
  const layer = createVertex(
    { type: "file", scratchBase: true, epoch: undefined, actions: [copy] },
    [vertex],
    plainMetadata({
      name: `[internal] mount ${source} of the build context`,
      lines,
      slot: `${state.context.contextId}|mount|${source}`,
      description: `mount ${source}`,
      contextMount: source,
    }),
  );
  return { vertex: layer, source: name };
}
