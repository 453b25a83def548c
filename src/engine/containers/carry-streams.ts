/** A container's streams joined to a caller's, until its output ends or one of the two leaves. */
import type { Attachment } from "../../runtime/container.ts";
import type { AttachStreams } from "../api.ts";

export async function carryStreams(
  attachment: Attachment,
  streams: AttachStreams,
  resize: (size: { readonly rows: number; readonly columns: number }) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const undoResize = streams.onResize?.((rows, columns) => resize({ rows, columns }));
  const leave = (): void => attachment.detach();
  const ways = [streams.detach, signal].filter((way) => way !== undefined);
  for (const way of ways) way.addEventListener("abort", leave, { once: true });
  // input that nobody reads any more must not keep the command alive
  if (streams.stdin !== undefined) feed(attachment, streams.stdin).catch(() => undefined);
  try {
    for await (const { stream, data } of attachment.output) streams.onOutput(stream, data);
  } finally {
    undoResize?.();
    for (const way of ways) way.removeEventListener("abort", leave);
    attachment.detach();
  }
}

async function feed(attachment: Attachment, source: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    for await (const chunk of source) await attachment.write(chunk);
  } finally {
    attachment.closeStdin();
  }
}
