/**
 * Fetches a page as soon as its server answers and prints its visible text: `node scripts/fetch-page.ts URL [SECONDS]`.
 * Exit 1 when no good answer came within the time (20 s).
 */
import { setTimeout as delay } from "node:timers/promises";

const [url, seconds = "20"] = process.argv.slice(2);
if (url === undefined) throw new Error("usage: fetch-page.ts URL [SECONDS]");
const deadlineMs = Date.now() + Number(seconds) * 1000;

async function fetchOnce(address: string): Promise<string | undefined> {
  try {
    const response = await fetch(address, { signal: AbortSignal.timeout(2000) });
    return response.ok ? await response.text() : undefined;
  } catch {
    return undefined;
  }
}

function visibleText(html: string): string {
  return html
    .replace(/<(head|script|style)[\s\S]*?<\/\1>/g, "")
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ")
    .trim();
}

let page = await fetchOnce(url);
while (page === undefined && Date.now() < deadlineMs) {
  await delay(100);
  page = await fetchOnce(url);
}
if (page === undefined) process.exit(1);
console.log(visibleText(page));
