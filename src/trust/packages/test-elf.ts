/** What tests of programs share: the smallest ELF file that has these sections. */
export function elfWith(sections: Readonly<Record<string, Buffer>>): Buffer {
  const names = ["", ...Object.keys(sections), ".shstrtab"];
  const table = Buffer.from(names.map((name) => `${name}\0`).join(""));
  const bodies = [Buffer.alloc(0), ...Object.values(sections), table];
  const header = Buffer.alloc(64);
  header.write("\x7fELF\x02\x01\x01", "latin1");
  const headers = names.map((name, index) => {
    const one = Buffer.alloc(64);
    one.writeUInt32LE(
      names.slice(0, index).reduce((sum, earlier) => sum + earlier.length + 1, 0),
      0,
    );
    one.writeUInt32LE(name === "" ? 0 : 1, 4);
    one.writeBigUInt64LE(BigInt(bodies.slice(0, index).reduce((sum, body) => sum + body.length, 64)), 24);
    one.writeBigUInt64LE(BigInt((bodies[index] as Buffer).length), 32);
    return one;
  });
  header.writeBigUInt64LE(BigInt(bodies.reduce((sum, body) => sum + body.length, 64)), 40);
  header.writeUInt16LE(64, 58);
  header.writeUInt16LE(names.length, 60);
  header.writeUInt16LE(names.length - 1, 62);
  return Buffer.concat([header, ...bodies, ...headers]);
}

function counted(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  const prefix: number[] = [];
  for (let rest = bytes.length; ; rest >>>= 7) {
    prefix.push(rest >= 0x80 ? (rest & 0x7f) | 0x80 : rest);
    if (rest < 0x80) break;
  }
  return Buffer.concat([Buffer.from(prefix), bytes]);
}

/** As Go's linker writes it since 1.18. */
export function goBuildInfo(version: string, modules: string): Buffer {
  const head = Buffer.alloc(32);
  head.write("\xff Go buildinf:\x08\x02", "latin1");
  const mark = "0123456789abcdef";
  return Buffer.concat([head, counted(version), counted(modules === "" ? "" : `${mark}${modules}${mark}`)]);
}
