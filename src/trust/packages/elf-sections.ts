/** Named sections of an ELF file. Every offset is checked: the file is a stranger's. */

/** Those of `names` that are there with content; empty where it is no ELF file, or one without section names. */
export function readElfSections(bytes: Buffer, names: readonly string[]): ReadonlyMap<string, Buffer> {
  const found = new Map<string, Buffer>();
  const wide = bytes[4] === 2;
  const big = bytes[5] === 2;
  if (bytes.length < 64 || bytes.readUInt32BE(0) !== 0x7f454c46) return found;
  const u16 = (at: number): number => (big ? bytes.readUInt16BE(at) : bytes.readUInt16LE(at));
  const u32 = (at: number): number => (big ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at));
  const word = (at: number): number => (wide ? Number(big ? bytes.readBigUInt64BE(at) : bytes.readBigUInt64LE(at)) : u32(at));
  const [offset, size, count, nameIndex] = wide ? [word(40), u16(58), u16(60), u16(62)] : [u32(32), u16(46), u16(48), u16(50)];
  if (size < (wide ? 64 : 40) || offset + size * count > bytes.length || nameIndex >= count) return found;
  const section = (index: number): Buffer => {
    const at = offset + index * size;
    const [start, length] = wide ? [word(at + 24), word(at + 32)] : [u32(at + 16), u32(at + 20)];
    // a section without content in the file: .bss
    return u32(at + 4) === 8 || start + length > bytes.length ? bytes.subarray(0, 0) : bytes.subarray(start, start + length);
  };
  const table = section(nameIndex);
  for (let index = 0; index < count; index++) {
    const at = u32(offset + index * size);
    const end = table.indexOf(0, at);
    if (at >= table.length || end < 0) continue;
    const name = table.toString("latin1", at, Math.min(end, at + 64));
    if (names.includes(name)) found.set(name, section(index));
  }
  return found;
}
