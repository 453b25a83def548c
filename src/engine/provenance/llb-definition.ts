/** The graph as BuildKit's provenance shows it: each step's op in the words of LLB's JSON, inputs by name. */
import { takenSources } from "../../graph/taken-sources.ts";
import type { CopyAction, ExecMount, ExecOp, FileAction, FileOp, GitOp, Op } from "../../graph/op.ts";
import { isGitUrl, isHttpUrl, parseGitUrl } from "../../graph/remote-source.ts";
import { listVertices, type Vertex } from "../../graph/vertex.ts";
import type { Digest } from "../../oci/digest.ts";
import { normalizePlatform, type Platform } from "../../oci/platform.ts";
import { withoutCredentials } from "./materials.ts";

export interface Definition {
  readonly llbDefinition: readonly object[];
  /** vertex → step */
  readonly digestMapping: Readonly<Record<Digest, string>>;
  /** step → lines of the Dockerfile */
  readonly locations: Readonly<Record<string, object>>;
}

export interface DefinitionSurroundings {
  /** patterns of the ignore file */
  readonly excluded: readonly string[];
  readonly pull: boolean;
  /** where the context comes from, if it is not this machine's */
  readonly contextUrl: string | undefined;
}

interface Surroundings extends DefinitionSurroundings {
  readonly root: Vertex;
}

export function definitionOf(root: Vertex, surroundings: DefinitionSurroundings): Definition {
  const vertices = listVertices([root]).filter(({ op, inputs }) => op.type !== "merge" || inputs.length > 0);
  const names = new Map(vertices.map((vertex, at) => [vertex.digest, `step${at}`]));
  const inputsOf = ({ inputs }: Vertex): readonly string[] => inputs.flatMap(({ digest }) => (names.has(digest) ? [`${names.get(digest)}:0`] : []));
  const steps = vertices.map((vertex) => {
    const op = { Op: operation(vertex, { ...surroundings, root }), ...platformOf(vertex.op), constraints: {} };
    return step(names.get(vertex.digest) as string, op, inputsOf(vertex));
  });
  const last = step(`step${vertices.length}`, { Op: {} }, [`${names.get(root.digest)}:0`]);
  return {
    llbDefinition: [...steps, last],
    digestMapping: Object.fromEntries([...names].sort(([a], [b]) => (a < b ? -1 : 1))),
    locations: Object.fromEntries(vertices.map((vertex) => [names.get(vertex.digest), locationOf(vertex)])),
  };
}

function step(id: string, op: object, inputs: readonly string[]): object {
  return { id, op, ...(inputs.length === 0 ? {} : { inputs }) };
}

function locationOf({ metadata: { lines } }: Vertex): object {
  if (lines === undefined) return {};
  const ranges = Array.from({ length: lines.end - lines.start + 1 }, (_, at) => ({ start: { line: lines.start + at }, end: { line: lines.start + at } }));
  return { locations: [{ ranges }] };
}

function platformOf(op: Op): { readonly platform?: object } {
  return op.type === "image" || op.type === "exec" ? { platform: platformWords(op.platform) } : {};
}

function platformWords(platform: Platform): object {
  const { architecture, os, variant } = normalizePlatform(platform);
  return { Architecture: architecture, OS: os, ...(variant === undefined ? {} : { Variant: variant }) };
}

function operation(vertex: Vertex, surroundings: Surroundings): object {
  const { op } = vertex;
  switch (op.type) {
    case "image":
      return { source: { identifier: `docker-image://${op.reference}`, attrs: { "image.resolvemode": surroundings.pull ? "pull" : "local" } } };
    case "local":
      return {
        source: op.name === "context" && surroundings.contextUrl !== undefined ? remoteContext(surroundings.contextUrl) : localSource(op.name, surroundings),
      };
    case "git":
      return { source: { identifier: gitIdentifier(op), attrs: gitAttributes(op) } };
    case "http":
      return {
        source: {
          identifier: withoutCredentials(op.url),
          attrs: { ...(op.checksum === "" ? {} : { "http.checksum": op.checksum }), "http.filename": op.fileName },
        },
      };
    case "exec":
      return { exec: execution(op) };
    case "file":
      return { file: { actions: fileActions(op, vertex) } };
    case "merge":
      return { merge: { inputs: vertex.inputs.map((_, at) => (at === 0 ? {} : { input: at })) } };
    case "diff":
      return { diff: { lower: {}, upper: { input: 1 } } };
  }
}

function remoteContext(url: string): object {
  return {
    identifier: withoutCredentials(url),
    attrs: isHttpUrl(url) && !isGitUrl(url) ? { "http.filename": "context" } : { "git.fullurl": withoutCredentials(parseGitUrl(url).url) },
  };
}

function localSource(name: string, { root, excluded }: Surroundings): object {
  const isMain = name === "context";
  const taken = [...new Set(takenSources(root, name).map((path) => path.replace(/^\/+/, "")))].sort();
  const attributes = [
    ["local.excludepatterns", isMain && excluded.length > 0 ? JSON.stringify(excluded) : undefined],
    ["local.followpaths", taken.length === 0 || taken.includes("") || taken.includes(".") ? undefined : JSON.stringify(taken)],
    ["local.sharedkeyhint", isMain ? name : `context:${name}`],
  ];
  return { identifier: `local://${name}`, attrs: Object.fromEntries(attributes.filter(([, value]) => value !== undefined)) };
}

function gitIdentifier({ url, ref, subdirectory }: GitOp): string {
  const fragment = subdirectory === "" ? ref : `${ref}:${subdirectory}`;
  const plain = withoutCredentials(url);
  const address = /^(?:https?|ssh|git):\/\//.test(plain) ? plain.replace(/^(?:https?|ssh|git):\/\//, "git://") : `git://${plain.replace(":", "/")}`;
  return fragment === "" ? address : `${address}#${fragment}`;
}

function gitAttributes({ url, keepGitDir, checksum }: GitOp): object {
  return {
    ...(checksum === "" ? {} : { "git.checksum": checksum }),
    "git.fullurl": withoutCredentials(url),
    ...(keepGitDir ? { "git.keepgitdir": "true" } : {}),
  };
}

/** what steps have unless the Dockerfile says otherwise */
const defaultHostname = "buildkitsandbox";
const networks = { default: undefined, host: 1, none: 2 } as const;

function execution({ args, env, cwd, user, mounts, network, security, extraHosts, hostname, ulimits, scratchBase, shmSizeBytes }: ExecOp): object {
  const meta = {
    args,
    env,
    cwd,
    user: user === "" ? undefined : user,
    extraHosts: extraHosts.length === 0 ? undefined : extraHosts.map(hostWords),
    hostname: hostname === defaultHostname ? undefined : hostname,
    ulimit: ulimits.length === 0 ? undefined : ulimits.map(limitWords),
  };
  const secretenv = mounts.flatMap((mount) =>
    mount.type === "secret" && mount.env !== undefined ? [{ ID: mount.id, name: mount.env, optional: mount.required ? undefined : true }] : [],
  );
  const shared = shmSizeBytes === undefined ? [] : mountWords({ type: "tmpfs", target: "/dev/shm", sizeBytes: shmSizeBytes });
  return {
    meta,
    mounts: [{ ...(scratchBase ? { input: -1 } : {}), dest: "/" }, ...shared, ...inOrder(mounts).flatMap(mountWords)],
    network: networks[network],
    security: security === "insecure" ? 1 : undefined,
    secretenv: secretenv.length === 0 ? undefined : secretenv,
  };
}

/** Secrets and agents come last. */
function inOrder(mounts: readonly ExecMount[]): readonly ExecMount[] {
  const rank = ({ type }: ExecMount): number => (type === "ssh" ? 2 : type === "secret" ? 1 : 0);
  return mounts.toSorted((a, b) => rank(a) - rank(b));
}

function hostWords(text: string): object {
  const [, host = "", address = ""] = /^([^:=]+)[:=](.*)$/.exec(text) ?? [];
  return { Host: host, IP: address };
}

function limitWords(text: string): object {
  const [, name = "", soft = "", hard = soft] = /^([^=]+)=(-?\d+)(?::(-?\d+))?$/.exec(text) ?? [];
  return { Name: name, Soft: Number(soft), Hard: Number(hard) };
}

const sharings = { shared: undefined, private: 1, locked: 2 } as const;
const own = { input: -1, output: -1 } as const;
const optional = (required: boolean): true | undefined => (required ? undefined : true);
const unlessZero = (id: number): number | undefined => (id === 0 ? undefined : id);

function mountWords(mount: ExecMount): readonly object[] {
  switch (mount.type) {
    case "bind": {
      const selector = mount.source === "" || mount.source === "/" ? undefined : mount.source;
      return [{ input: mount.input, selector, dest: mount.target, output: -1, readonly: mount.readonly ? true : undefined }];
    }
    case "cache":
      return [{ ...own, input: mount.input ?? -1, dest: mount.target, mountType: 3, cacheOpt: { ID: `/${mount.id}`, sharing: sharings[mount.sharing] } }];
    case "tmpfs":
      return [{ ...own, dest: mount.target, mountType: 4, TmpfsOpt: { size: mount.sizeBytes } }];
    case "secret": {
      const { id, uid, gid, mode, target } = mount;
      if (target === undefined) return [];
      const secretOpt = { ID: id, uid: unlessZero(uid), gid: unlessZero(gid), mode, optional: optional(mount.required) };
      return [{ input: -1, dest: target, mountType: 1, secretOpt }];
    }
    case "ssh": {
      const { id, uid, gid, mode, target } = mount;
      return [
        { input: -1, dest: target, mountType: 2, SSHOpt: { ID: id, uid: unlessZero(uid), gid: unlessZero(gid), mode, optional: optional(mount.required) } },
      ];
    }
  }
}

/** BuildKit has an action for each source of a COPY, each standing on the one before. */
function fileActions({ actions, scratchBase }: FileOp, { inputs }: Vertex): readonly object[] {
  const words = actions.flatMap((action): readonly { readonly from: number; readonly action: object }[] =>
    action.type === "copy"
      ? action.sources.map((source) => ({ from: action.input, action: { copy: copyWords(action, source, inputs[action.input]?.op) } }))
      : [{ from: -1, action: ownWords(action) }],
  );
  const inputCount = inputs.length;
  return words.map(({ from, action }, at) => ({
    input: at > 0 ? inputCount + at - 1 : scratchBase ? -1 : 0,
    secondaryInput: from,
    output: at === words.length - 1 ? 0 : -1,
    Action: action,
  }));
}

function copyWords({ destination, chmod, chown, exclude, parents, unpack }: CopyAction, source: string, from: Op | undefined): object {
  const isRemote = from?.type === "http" || from?.type === "git";
  return {
    src: source.startsWith("/") ? source : `/${source}`,
    dest: destination,
    owner: ownerWords(chown),
    ...modeWords(chmod, -1),
    ...(isRemote ? {} : { followSymlink: true, dirCopyContents: true }),
    attemptUnpackDockerCompatibility: unpack && !isRemote ? true : undefined,
    createDestPath: true,
    ...(isRemote ? {} : { allowWildcard: true, allowEmptyWildcard: true }),
    timestamp: -1,
    exclude_patterns: exclude.length === 0 ? undefined : exclude,
    parents: parents ? true : undefined,
  };
}

function ownWords(action: Exclude<FileAction, CopyAction>): object {
  switch (action.type) {
    case "mkfile": {
      const path = action.destination.endsWith("/") ? `${action.destination}${action.name}` : action.destination;
      const data = Buffer.from(action.content).toString("base64");
      return { mkfile: { path, ...modeWords(action.chmod, 0o644), data, owner: ownerWords(action.chown), timestamp: -1 } };
    }
    case "mkdir":
      return { mkdir: { path: action.path, mode: 0o755, makeParents: true, owner: ownerWords(action.chown), timestamp: -1 } };
    case "rm":
      return { rm: { path: action.path, allowNotFound: action.allowNotFound ? true : undefined } };
  }
}

function modeWords(chmod: string | undefined, fallback: number): object {
  if (chmod === undefined) return { mode: fallback };
  return /^[0-7]+$/.test(chmod) ? { mode: Number.parseInt(chmod, 8) } : { mode: -1, modeStr: chmod };
}

function ownerWords(chown: string | undefined): object | undefined {
  if (chown === undefined) return undefined;
  const [user = "", group = user] = chown.split(":");
  const word = (name: string): object => ({ User: /^\d+$/.test(name) ? (name === "0" ? { byId: 0 } : { byId: Number(name) }) : { byName: { name } } });
  return { user: word(user), group: word(group) };
}
