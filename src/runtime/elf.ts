/** Which machine a program is for, and the smallest program there can be for each: it ends at once, with a code that says it ran. Pure. */

interface Machine {
  readonly machine: number;
  readonly bits: 32 | 64;
  readonly endian: "little" | "big";
  /** e_flags: what the ABI wants there */
  readonly flags: number;
  /** exit(42), as the bytes of its instructions */
  readonly code: string;
}

/** By the architectures' names in images. */
const machines: Readonly<Record<string, Machine>> = {
  "386": { machine: 3, bits: 32, endian: "little", flags: 0, code: "bb2a000000 b801000000 cd80" },
  amd64: { machine: 62, bits: 64, endian: "little", flags: 0, code: "bf2a000000 b83c000000 0f05" },
  arm: { machine: 40, bits: 32, endian: "little", flags: 0x05000000, code: "2a00a0e3 0170a0e3 000000ef" },
  arm64: { machine: 183, bits: 64, endian: "little", flags: 0, code: "400580d2 a80b80d2 010000d4" },
  loong64: { machine: 258, bits: 64, endian: "little", flags: 0x43, code: "04a88003 0b748103 00002b00" },
  mips64le: { machine: 8, bits: 64, endian: "little", flags: 0x80000000, code: "c2130224 2a000424 0c000000" },
  ppc64le: { machine: 21, bits: 64, endian: "little", flags: 2, code: "01000038 2a006038 02000044" },
  riscv64: { machine: 243, bits: 64, endian: "little", flags: 0, code: "1305a002 9308d005 73000000" },
  s390x: { machine: 22, bits: 64, endian: "big", flags: 0, code: "a729002a 0a01" },
};

/** Architectures that there is a program for. */
export const probedArchitectures: readonly string[] = Object.keys(machines).sort();

/** What a file's first twenty bytes say. undefined: no ELF file, or one for a machine that has no name here. */
export function architectureOf(header: Uint8Array): string | undefined {
  const bytes = Buffer.from(header.buffer, header.byteOffset, header.byteLength);
  if (bytes.length < 20 || bytes.toString("latin1", 0, 4) !== "\x7fELF") return undefined;
  const bits = bytes[4] === 2 ? 64 : 32;
  const endian = bytes[5] === 2 ? "big" : "little";
  const machine = endian === "big" ? bytes.readUInt16BE(18) : bytes.readUInt16LE(18);
  return Object.entries(machines).find(([, known]) => known.machine === machine && known.bits === bits && known.endian === endian)?.[0];
}

const interpreterSegment = 3;

/** Whether it is a program for whose start the kernel needs no other: `header` is its first page. */
export function isStaticProgram(header: Uint8Array): boolean {
  if (architectureOf(header) === undefined) return false;
  const bytes = Buffer.from(header.buffer, header.byteOffset, header.byteLength);
  const wide = bytes[4] === 2;
  const little = bytes[5] !== 2;
  const half = (at: number): number => (little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at));
  const word = (at: number): number => (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  if (bytes.length < 64) return false;
  // of a 64-bit offset the half that counts in a file's first page
  const segments = wide ? word(little ? 32 : 36) : word(28);
  const [size, count] = wide ? [half(54), half(56)] : [half(42), half(44)];
  for (let index = 0; index < count; index++) {
    const at = segments + index * size;
    if (at + 4 > bytes.length || word(at) === interpreterSegment) return false;
  }
  return true;
}

const loadAddress = 0x400000;
/** no machine has larger pages */
const pageBytes = 0x10000;

/** What the programs end with: a shell that takes one for a script ends otherwise. */
export const probeExitCode = 42;

/** A static executable for the architecture. undefined for one that is not known. */
export function exitingProgram(architecture: string): Buffer | undefined {
  const known = machines[architecture];
  if (known === undefined) return undefined;
  const { machine, bits, endian, flags } = known;
  const code = Buffer.from(known.code.replaceAll(" ", ""), "hex");
  const wide = bits === 64;
  const headerBytes = wide ? 64 : 52;
  const segmentBytes = wide ? 56 : 32;
  const start = headerBytes + segmentBytes;
  const size = start + code.length;
  const word = (value: number, bytes: 2 | 4 | 8): Buffer => numberBytes(value, bytes, endian);
  const address = (value: number): Buffer => word(value, wide ? 8 : 4);
  const segmentFlags = word(5, 4);
  const sizes = [address(0), address(loadAddress), address(loadAddress), address(size), address(size)];
  const identity = Buffer.from([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, endian === "big" ? 2 : 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  const places = [address(loadAddress + start), address(headerBytes), address(0)];
  const counts = [headerBytes, segmentBytes, 1, 0, 0, 0].map((value) => word(value, 2));
  const segment = [word(1, 4), ...(wide ? [segmentFlags, ...sizes] : [...sizes, segmentFlags]), address(pageBytes)];
  return Buffer.concat([identity, word(2, 2), word(machine, 2), word(1, 4), ...places, word(flags, 4), ...counts, ...segment, code]);
}

function numberBytes(value: number, bytes: 2 | 4 | 8, endian: "little" | "big"): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(BigInt(value));
  const little = buffer.subarray(0, bytes);
  return endian === "little" ? little : Buffer.from(little).reverse();
}
