/** Finds and reads a build's Dockerfile and the ignore file that goes with it. */
import { existsSync, readFileSync, realpathSync, rmSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join } from "node:path";
import { errnoOf, SlipwayError } from "../../base/errors.ts";
import type { Store } from "../../store/index.ts";
import type { DockerfileSource } from "../api.ts";
import { downloadFile } from "./download.ts";
import type { OpenedContext } from "./open-context.ts";

export interface LoadedDockerfile {
  /** as shown in messages */
  readonly name: string;
  readonly text: Buffer;
  /** where it lies; undefined: it was handed in */
  readonly path?: string;
  /** the rules that hold for this Dockerfile */
  readonly ignoreText: Buffer | undefined;
  /** the frontend's image, whatever the text says: BUILDKIT_SYNTAX */
  readonly syntax?: string;
}

export const maxDockerfileBytes = 16 << 20;

export function dockerfileTooLarge(): SlipwayError {
  return new SlipwayError("invalid_argument", "DOCKERFILE_TOO_LARGE", `the Dockerfile is larger than ${maxDockerfileBytes} bytes`, {
    limit: maxDockerfileBytes,
  });
}

/** A Dockerfile behind http. Fails with DOWNLOAD_FAILED, DOWNLOAD_TOO_LARGE. */
export async function fetchDockerfile(url: string, store: Store, signal: AbortSignal): Promise<DockerfileSource> {
  const path = store.lease().temporaryPath("dockerfile");
  try {
    await downloadFile({ url, path, checksum: "", signal, limitBytes: maxDockerfileBytes });
    return { kind: "text", text: readFileSync(path, "utf8") };
  } finally {
    rmSync(path, { force: true });
  }
}

/** What messages call a Dockerfile that its source names: the last part of a path, which Docker's client sends alone. */
export function dockerfileName(source: DockerfileSource | undefined): string {
  return source?.kind === "path" ? basename(source.path) : "Dockerfile";
}

/** Fails with DOCKERFILE_NOT_FOUND (not_found, denied) in BuildKit's words. */
export function loadDockerfile(context: OpenedContext, source: DockerfileSource | undefined): LoadedDockerfile {
  const root = context.foreign ? context.directory : undefined;
  const general = join(context.directory, ".dockerignore");
  if (source?.kind === "text" || context.dockerfileText !== undefined) {
    const text = source?.kind === "text" ? source.text : (context.dockerfileText ?? "");
    return { name: "Dockerfile", text: Buffer.from(text), ignoreText: readIgnoreFile(general, root) };
  }
  const wanted = source?.kind === "path" ? source.path : "Dockerfile";
  const path = findDockerfile(context.directory, wanted, source === undefined);
  // a whole path is the user's own word, not the context's
  const bounds = isAbsolute(wanted) ? undefined : root;
  const name = context.foreign ? wanted : basename(wanted);
  return {
    name,
    path,
    text: readDockerfile(path, { name, root: bounds, pipes: source !== undefined && bounds === undefined }),
    ignoreText: readIgnoreFile(`${path}.dockerignore`, bounds) ?? readIgnoreFile(general, root),
  };
}

function findDockerfile(directory: string, wanted: string, isDefault: boolean): string {
  const path = isAbsolute(wanted) ? wanted : join(directory, wanted);
  if (isDefault && !existsSync(path) && existsSync(join(dirname(path), "dockerfile"))) return join(dirname(path), "dockerfile");
  return path;
}

/** Where a context comes from elsewhere, neither links nor ".." lead out of its root. */
function pathWithin(path: string, root: string | undefined): string {
  if (root === undefined) return path;
  const real = realpathSync(path);
  if (!real.startsWith(`${realpathSync(root)}/`)) throw Object.assign(new Error("leads out of the context"), { code: "ENOENT" });
  return real;
}

interface ReadRules {
  readonly name: string;
  readonly root: string | undefined;
  /** a pipe that the user named is read; one that lies around would be waited for without end */
  readonly pipes: boolean;
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  ENOTDIR: "not a directory",
  EISDIR: "is a directory",
  EACCES: "permission denied",
  ELOOP: "too many levels of symbolic links",
  ENAMETOOLONG: "file name too long",
  ENXIO: "not a regular file",
};

function readDockerfile(path: string, { name, root, pipes }: ReadRules): Buffer {
  try {
    const found = pathWithin(path, root);
    const stat = statSync(found);
    if (stat.size > maxDockerfileBytes) throw dockerfileTooLarge();
    if (!pipes && !stat.isFile() && !stat.isDirectory()) throw Object.assign(new Error("not a regular file"), { code: "ENXIO" });
    return readFileSync(found);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined || reasons[errno] === undefined) throw error;
    throw new SlipwayError(
      errno === "EACCES" ? "denied" : "not_found",
      "DOCKERFILE_NOT_FOUND",
      `failed to read dockerfile: ${errno === "EISDIR" ? "read" : "open"} ${name}: ${reasons[errno]}`,
      { path },
      error,
    );
  }
}

const absent: ReadonlySet<string | undefined> = new Set(["ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG"]);

function readIgnoreFile(path: string, root: string | undefined): Buffer | undefined {
  try {
    const found = pathWithin(path, root);
    return statSync(found).isFile() ? readFileSync(found) : undefined;
  } catch (error) {
    if (absent.has(errnoOf(error))) return undefined;
    throw error;
  }
}
