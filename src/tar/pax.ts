/**
 * pax extended header records: `<length> <key>=<value>\n`, keys text, values bytes.
 * @see POSIX.1-2017 pax, "pax Extended Header"
 */
import { tarCorrupt } from "./block.ts";

/** Values are views of the record data. An empty value withdraws a global one. */
export type PaxRecords = ReadonlyMap<string, Buffer>;

/** Several GNU.sparse.offset and .numbytes records may follow each other (sparse format 0.0): `each` sees every one in order. */
export function parsePaxRecords(data: Buffer, each?: (key: string, value: Buffer) => void): Map<string, Buffer> {
  const records = new Map<string, Buffer>();
  let at = 0;
  while (at < data.length) {
    const space = data.indexOf(0x20, at);
    if (space < 0 || space - at > 10 || space === at) throw tarCorrupt("pax record without a length");
    const length = decimal(data.toString("latin1", at, space));
    const end = at + length;
    const equals = data.indexOf(0x3d, space);
    if (length < 5 || end > data.length || data[end - 1] !== 0x0a || equals < 0 || equals >= end) throw tarCorrupt("malformed pax record");
    const key = data.toString("utf8", space + 1, equals);
    const value = data.subarray(equals + 1, end - 1);
    if (key === "") throw tarCorrupt("pax record without a key");
    each?.(key, value);
    records.set(key, value);
    at = end;
  }
  return records;
}

function decimal(text: string): number {
  if (!/^[0-9]+$/.test(text)) throw tarCorrupt("pax record without a length");
  return Number(text);
}

/** Integer value of a record (size, uid, gid). */
export function paxInteger(value: Buffer, key: string): number {
  const text = value.toString("latin1");
  const number = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(number)) throw tarCorrupt(`pax record ${key} is not a number`);
  return number;
}

/** Seconds with any number of decimals, perhaps negative, to nanoseconds; what is finer than that is dropped. */
export function paxTimeNs(value: Buffer, key: string): bigint {
  const match = /^(-?)([0-9]{1,18})(?:\.([0-9]*))?$/.exec(value.toString("latin1"));
  if (!match) throw tarCorrupt(`pax record ${key} is not a time`);
  const fraction = (match[3] ?? "").slice(0, 9).padEnd(9, "0");
  const magnitude = BigInt(match[2] ?? "0") * 1_000_000_000n + BigInt(fraction);
  return match[1] === "-" ? -magnitude : magnitude;
}

/** Shortest exact decimal of a time in seconds. */
export function formatPaxTime(timeNs: bigint): string {
  const magnitude = timeNs < 0n ? -timeNs : timeNs;
  const fraction = (magnitude % 1_000_000_000n).toString().padStart(9, "0").replace(/0+$/, "");
  return `${timeNs < 0n ? "-" : ""}${magnitude / 1_000_000_000n}${fraction === "" ? "" : `.${fraction}`}`;
}

/** Records sorted by the bytes of their keys, so that equal records give equal bytes. */
export function encodePaxRecords(records: ReadonlyMap<string, Uint8Array>): Buffer {
  const encoded = [...records].map(([key, value]) => ({ key: Buffer.from(key), value }));
  encoded.sort((a, b) => Buffer.compare(a.key, b.key));
  return Buffer.concat(encoded.map(({ key, value }) => encodeRecord(key, value)));
}

function encodeRecord(key: Buffer, value: Uint8Array): Buffer {
  const rest = key.length + value.length + 3;
  let length = rest + String(rest).length;
  if (rest + String(length).length !== length) length++;
  return Buffer.concat([Buffer.from(`${length} `), key, Buffer.from("="), value, Buffer.from("\n")]);
}
