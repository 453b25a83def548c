/** A section's lines as an archive: what feeds the program must not be written by the program. */
import { spawnSync } from "node:child_process";
import { parseSpec, unescapeBytes, type FileSpec } from "./case-file.ts";

const bytes = (text: string): Buffer => Buffer.from(text, "latin1");

const typeflags = { file: "0", hardlink: "1", symlink: "2", directory: "5", fifo: "6", socket: "0", tar: "0", git: "0" } as const;

/** Members of a tar section or of a commit: header and content, ` :: ` between them. */
export function parseMember(line: string): FileSpec {
  const at = line.indexOf(" :: ");
  const content = at < 0 ? "" : line.slice(at + 4).replaceAll("\\n", "\n");
  return parseSpec(Buffer.from(at < 0 ? line : line.slice(0, at), "latin1").toString(), bytes(content));
}

/** A ustar archive, compressed and cut as the section says. */
export function tarOf(spec: FileSpec): Buffer {
  const lines = spec.content
    .toString("latin1")
    .split("\n")
    .filter((line) => line !== "");
  const { cut, blocks } = spec.attributes;
  const plain = Buffer.concat([...lines.map(parseMember).flatMap(memberOf), Buffer.alloc(512 * Number(blocks ?? 2))]);
  const packed = spec.compression === "none" ? plain : filter(spec.compression, plain);
  return cut === undefined ? packed : packed.subarray(0, Number(cut));
}

function filter(program: string, input: Buffer): Buffer {
  // of several threads newer versions of xz write other headers
  const flags = program === "xz" ? ["-T1", "-c"] : ["-c"];
  const { stdout, status, stderr } = spawnSync(program, flags, { input, maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`${program}: ${stderr.toString()}`);
  return stdout;
}

/** Attributes of a member: `type=T`, `char|block=MAJOR,MINOR`, `pax.KEY=VALUE`, `hole=N` (that many zeros, sparse, stand before the content). */
function memberOf(spec: FileSpec): readonly Buffer[] {
  const { type: written, char, block, hole } = spec.attributes;
  const type = written ?? (char !== undefined ? "3" : block !== undefined ? "4" : typeflags[spec.kind]);
  const name = spec.path + (spec.kind === "directory" ? "/" : "");
  const records = paxRecords(spec, name);
  const body = type === "0" ? (hole === undefined ? spec.content : sparseBody(Number(hole), spec.content)) : Buffer.alloc(0);
  const isLong = bytes(name).length > 100 && !records.some(([key]) => key === "path");
  return [
    ...(isLong ? block512(plainHeader("././@LongLink", "L"), Buffer.concat([bytes(name), Buffer.alloc(1)])) : []),
    ...(records.length === 0 ? [] : block512(plainHeader("PaxHeaders/x", "x"), Buffer.concat(records.map(paxRecord)))),
    ...block512({ ...spec, path: name, type, device: char ?? block }, body),
  ];
}

interface Header extends Pick<FileSpec, "path" | "mode" | "uid" | "gid" | "mtime" | "target" | "kind"> {
  readonly type: string;
  readonly device: string | undefined;
}

function plainHeader(path: string, type: string): Header {
  return { path, mode: 0o644, uid: 0, gid: 0, mtime: 0, target: "", kind: "file", type, device: undefined };
}

function block512(spec: Header, body: Buffer): readonly Buffer[] {
  const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, "0")}\0`;
  const header = Buffer.alloc(512);
  header.write(spec.path, 0, 100, "latin1");
  header.write(octal(spec.mode ?? (spec.kind === "directory" ? 0o755 : 0o644), 8) + octal(spec.uid, 8) + octal(spec.gid, 8), 100);
  header.write(octal(body.length, 12) + octal(Math.max(0, spec.mtime), 12), 124);
  header.write("        ", 148);
  header.write(spec.type, 156);
  header.write(spec.target, 157, 100, "latin1");
  header.write("ustar\0" + "00", 257);
  const [major = 0, minor = 0] = (spec.device ?? "0,0").split(",").map(Number);
  if (spec.device !== undefined) header.write(octal(major, 8) + octal(minor, 8), 329);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return [header, body, Buffer.alloc((512 - (body.length % 512)) % 512)];
}

function paxRecords({ attributes, content }: FileSpec, name: string): readonly (readonly [key: string, value: string])[] {
  const own = Object.entries(attributes).flatMap(([key, value]) => (key.startsWith("pax.") ? [[key.slice(4), unescapeBytes(value)] as const] : []));
  const { hole } = attributes;
  if (hole === undefined) return own;
  const realSize = String(Number(hole) + content.length);
  return [...own, ["GNU.sparse.major", "1"], ["GNU.sparse.minor", "0"], ["GNU.sparse.name", name], ["GNU.sparse.realsize", realSize]];
}

function paxRecord([key, value]: readonly [string, string]): Buffer {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return bytes(`${length}${rest}`);
}

/** GNU's sparse format 1.0: a map of one stretch of data, then the data. */
function sparseBody(hole: number, content: Buffer): Buffer {
  const map = Buffer.alloc(512);
  map.write(`1\n${hole}\n${content.length}\n`);
  return Buffer.concat([map, content]);
}
