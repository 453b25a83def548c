/** A file behind http for ADD and remote contexts: bounded, verified, with its Last-Modified. */
import { goQuote } from "../../base/go-text.ts";
import { createHash } from "node:crypto";
import { closeSync, openSync, statfsSync, writeSync } from "node:fs";
import path from "node:path";
import { withoutUrlCredentials } from "../../base/url-credentials.ts";
import { SlipwayError } from "../../base/errors.ts";
import { httpUrlFault } from "../../base/go-url.ts";
import { networkFailureText } from "../../registry/network-error.ts";

export interface Download {
  readonly url: string;
  readonly path: string;
  /** `sha256:…`, or "" */
  readonly checksum: string;
  readonly signal: AbortSignal;
  /** larger than this is refused; absent: than nine tenths of what the disk has free */
  readonly limitBytes?: number;
  readonly onProgress?: (current: number, total: number | undefined) => void;
}

const maxRedirects = 10;
const headersTimeoutMs = 60_000;
const bodyTimeoutMs = 120_000;

/** A server that never ends must not fill the disk for everybody. */
function roomFor(file: string): number {
  const { bavail, bsize } = statfsSync(path.dirname(file));
  return Math.floor(bavail * bsize * 0.9);
}

export interface Downloaded {
  /** of Last-Modified; undefined without one */
  readonly modifiedMs: number | undefined;
  /** as the server wrote it, or "" */
  readonly lastModified: string;
  readonly sha256: string;
  readonly size: number;
}

/** Fails with DOWNLOAD_FAILED, DOWNLOAD_TOO_LARGE, CHECKSUM_MISMATCH. */
export async function downloadFile(download: Download): Promise<Downloaded> {
  const shownUrl = withoutUrlCredentials(download.url);
  const fault = httpUrlFault(download.url);
  if (fault !== undefined) throw new SlipwayError("invalid_argument", "DOWNLOAD_FAILED", withoutUrlCredentials(fault), { url: shownUrl });
  const { request } = await import("undici");
  let url = download.url;
  let asked = url;
  for (let redirects = 0; redirects <= maxRedirects; redirects++) {
    const options = { headers: authorizationOf(url), signal: download.signal, headersTimeout: headersTimeoutMs, bodyTimeout: bodyTimeoutMs };
    const response = await request(url, options).catch((error: unknown) => {
      throw interrupted(download, error);
    });
    const location = response.headers["location"];
    if (response.statusCode >= 300 && response.statusCode < 400 && typeof location === "string") {
      await response.body.dump();
      asked = location;
      url = URL.parse(location, url)?.href ?? location;
      if (!/^https?:\/\//.test(url)) throw new SlipwayError("denied", "DOWNLOAD_FAILED", `${shownUrl} redirects to ${url}, which is no http address`, { url });
      continue;
    }
    if (response.statusCode !== 200) {
      await response.body.dump();
      throw new SlipwayError(response.statusCode === 404 ? "not_found" : "unavailable", "DOWNLOAD_FAILED", `invalid response status ${response.statusCode}`, {
        url: shownUrl,
        status: response.statusCode,
      });
    }
    const { sha256, size } = await writeBody(bodyOf(response.body, download), download, Number(response.headers["content-length"] ?? Number.NaN));
    const modified = response.headers["last-modified"];
    const lastModified = typeof modified === "string" ? modified : "";
    const modifiedMs = lastModified === "" ? Number.NaN : Date.parse(lastModified);
    return { modifiedMs: Number.isNaN(modifiedMs) ? undefined : modifiedMs, lastModified, sha256, size };
  }
  throw new SlipwayError("unavailable", "DOWNLOAD_FAILED", `Get ${goQuote(withoutUrlCredentials(asked))}: stopped after ${maxRedirects} redirects`, {
    url: shownUrl,
  });
}

/** A name and a password in the address are for whoever it names, and for no other that a redirect leads to. */
function authorizationOf(url: string): Readonly<Record<string, string>> {
  const { username, password } = new URL(url);
  if (username === "" && password === "") return {};
  return { authorization: `Basic ${Buffer.from(`${unescaped(username)}:${unescaped(password)}`).toString("base64")}` };
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function interrupted({ url, signal }: Download, error: unknown): SlipwayError {
  signal.throwIfAborted();
  return new SlipwayError("unavailable", "DOWNLOAD_FAILED", networkFailureText(error, "GET", new URL(url)), { url: withoutUrlCredentials(url) }, error);
}

async function* bodyOf(body: AsyncIterable<Uint8Array>, download: Download): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw interrupted(download, error);
  }
}

async function writeBody(body: AsyncIterable<Uint8Array>, download: Download, length: number): Promise<{ sha256: string; size: number }> {
  const limit = download.limitBytes ?? roomFor(download.path);
  const limited = (size: number): void => {
    if (size <= limit) return;
    const url = withoutUrlCredentials(download.url);
    const why = download.limitBytes === undefined ? `: no more than nine tenths of the disk's free space are used` : "";
    throw new SlipwayError("resource_exhausted", "DOWNLOAD_TOO_LARGE", `${url} is larger than ${limit} bytes${why}`, { url, limit });
  };
  if (!Number.isNaN(length)) limited(length);
  const hash = createHash("sha256");
  const fd = openSync(download.path, "w", 0o600);
  let size = 0;
  try {
    for await (const chunk of body) {
      size += chunk.length;
      limited(size);
      hash.update(chunk);
      writeSync(fd, chunk);
      download.onProgress?.(size, Number.isNaN(length) ? undefined : length);
    }
  } finally {
    closeSync(fd);
  }
  const sha256 = hash.digest("hex");
  if (download.checksum !== "" && download.checksum !== `sha256:${sha256}`) {
    throw new SlipwayError("failed_precondition", "CHECKSUM_MISMATCH", `digest mismatch sha256:${sha256}: ${download.checksum}`, {
      expected: download.checksum,
      actual: `sha256:${sha256}`,
    });
  }
  return { sha256, size };
}
