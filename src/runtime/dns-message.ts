/** The part of DNS messages that a small name server needs: the question in, addresses or names out. Pure. @see RFC 1035, section 4 */

export const recordType = { a: 1, ptr: 12, aaaa: 28 } as const;
export const responseCode = { ok: 0, serverFailure: 2, noSuchName: 3 } as const;

export interface Question {
  readonly id: number;
  /** lower case, without the final dot */
  readonly name: string;
  readonly type: number;
  /** where the question section ends */
  readonly end: number;
}

/** Undefined for what is no query with one question. */
export function parseQuestion(message: Buffer): Question | undefined {
  if (message.length < 17 || (message[2]! & 0xf8) !== 0 || message.readUInt16BE(4) !== 1) return undefined;
  const labels: string[] = [];
  let at = 12;
  while (at < message.length && message[at] !== 0) {
    const length = message[at]!;
    if (length > 63 || at + 1 + length > message.length) return undefined;
    labels.push(message.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  if (at + 5 > message.length) return undefined;
  return { id: message.readUInt16BE(0), name: labels.join(".").toLowerCase(), type: message.readUInt16BE(at + 1), end: at + 5 };
}

/** "2.0.18.172.in-addr.arpa" → "172.18.0.2" */
export function reverseAddress(name: string): string | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa$/.exec(name);
  return match === null ? undefined : match.slice(1).toReversed().join(".");
}

/** The query's own header and question with the answers behind it. */
export function makeAnswer(query: Buffer, question: Question, answers: readonly Buffer[], code: number = responseCode.ok): Buffer {
  const head = Buffer.from(query.subarray(0, question.end));
  // a response, recursion available; recursion desired as in the query
  head[2] = 0x80 | (head[2]! & 0x01);
  head[3] = 0x80 | code;
  head.writeUInt16BE(answers.length, 6);
  head.writeUInt32BE(0, 8);
  return Buffer.concat([head, ...answers]);
}

const lifetimeSeconds = 600;

export function addressRecord(address: string): Buffer {
  return record(recordType.a, Buffer.from(address.split(".").map(Number)));
}

export function nameRecord(name: string): Buffer {
  const labels = name.split(".").map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, "latin1")]));
  return record(recordType.ptr, Buffer.concat([...labels, Buffer.from([0])]));
}

/** Its name points to the question's. */
function record(type: number, content: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(lifetimeSeconds, 6);
  head.writeUInt16BE(content.length, 10);
  return Buffer.concat([head, content]);
}
