/** Tar archives by hand: what feeds a test of the program must not be written by the program. */
export interface TarMember {
  readonly name: string;
  readonly text?: string;
  /** "0" file, "1" hard link, "2" symbolic link, "3" character device, "5" folder */
  readonly type?: string;
  readonly target?: string;
}

/** A ustar archive; a record `{ name: text }` is short for plain files. */
export function tarOf(members: readonly TarMember[] | Readonly<Record<string, string>>): Buffer {
  const list: readonly TarMember[] = Array.isArray(members)
    ? (members as readonly TarMember[])
    : Object.entries(members as Readonly<Record<string, string>>).map(([name, text]) => ({ name, text }));
  return Buffer.concat([...list.flatMap(memberBytes), Buffer.alloc(1024)]);
}

function memberBytes(member: TarMember): readonly Buffer[] {
  const body = Buffer.from(member.text ?? "");
  const header = Buffer.alloc(512);
  header.write(member.name, 0, 100);
  header.write("0000644\0" + "0000000\0" + "0000000\0", 100);
  header.write(`${body.length.toString(8).padStart(11, "0")}\0`, 124);
  header.write("14524746700\0", 136);
  header.write("        ", 148);
  header.write(member.type ?? "0", 156);
  header.write(member.target ?? "", 157, 100);
  header.write("ustar\0" + "00", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return [header, body, Buffer.alloc((512 - (body.length % 512)) % 512)];
}
