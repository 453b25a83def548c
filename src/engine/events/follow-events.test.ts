import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { EventJournal, type StoreEvent } from "../../store/event-journal.ts";
import type { Filters } from "../api.ts";
import type { EventMessage, EventOptions } from "../events-api.ts";
import { matchesEvent } from "./event-filter.ts";
import { followEvents, parseEvent } from "./follow-events.ts";

function journalIn(context: TestContext, bytes?: number): EventJournal {
  const directory = mkdtempSync(join(tmpdir(), "slipway-events-"));
  context.after(() => rmSync(directory, { recursive: true }));
  return new EventJournal(join(directory, "events"), bytes);
}

const event = (id: string, changes: Partial<StoreEvent> = {}): StoreEvent => ({ type: "container", action: "start", id, attributes: {}, ...changes });

async function idsOf(journal: EventJournal, options: EventOptions): Promise<readonly string[]> {
  return (await Array.fromAsync(followEvents(journal.files, options, Date.now()))).map(({ id }) => id);
}

const past = { sinceMs: 0, untilMs: Date.now() + 365 * 86_400_000 };

/** Everything that is kept: an end that has come already would leave out what is written in this very moment. */
async function kept(journal: EventJournal): Promise<readonly string[]> {
  const stop = new AbortController();
  const ids: string[] = [];
  stop.abort();
  for await (const { id } of followEvents(journal.files, { ...past, signal: stop.signal }, Date.now())) ids.push(id);
  return ids;
}

test("what was told is read in its order; a line that was cut off, or is none, is passed over", async (context) => {
  const journal = journalIn(context);
  assert.deepEqual(await kept(journal), []);
  journal.append([event("a"), event("b")]);
  appendFileSync(journal.files.current, '1 {"type":"container","act');
  journal.append([event("c")]);
  appendFileSync(journal.files.current, 'no event\n1 {}\n1 {"type":1}\n');
  journal.append([event("d", { attributes: { name: "é\n<&" } })]);
  assert.deepEqual(await kept(journal), ["a", "b", "c", "d"]);
});

test("two files bound what is kept, whoever fills them", async (context) => {
  const journal = journalIn(context, 10_000);
  const code = `const { EventJournal } = await import(${JSON.stringify(import.meta.resolve("../../store/event-journal.ts"))});
    const journal = new EventJournal(process.argv[1], 10_000);
    for (let at = 0; at < 300; at++) journal.append([{ type: "container", action: "start", id: process.argv[2] + at, attributes: {} }]);`;
  const run = (name: string): unknown => spawnSync(process.execPath, ["--input-type=module", "-e", code, journal.files.directory, name]);
  run("a");
  const ids = await kept(journal);
  assert.ok(ids.length > 80 && ids.length < 300, `${ids.length} are kept`);
  assert.equal(ids.at(-1), "a299");
  assert.deepEqual(
    ids,
    Array.from({ length: ids.length }, (_, at) => `a${300 - ids.length + at}`),
  );
  assert.ok(statSync(journal.files.current).size + statSync(journal.files.former).size < 20_400);
});

test("followed: from now on, also past files that are full, until an abort", { timeout: 20_000 }, async (context) => {
  const journal = journalIn(context, 1000);
  journal.append([event("before")]);
  const stop = new AbortController();
  const followed = followEvents(journal.files, { signal: stop.signal, filters: { event: ["start"] } }, Date.now());
  const seen: string[] = [];
  // it looks where the journal ends before it waits
  let next = followed.next();
  for (let count = 0; count < 50; count++) {
    journal.append([event("other", { action: "stop" }), event(String(count))]);
    const { value } = await next;
    seen.push(value?.id ?? "");
    next = followed.next();
  }
  stop.abort();
  assert.equal((await next).done, true);
  assert.deepEqual(
    seen,
    Array.from({ length: 50 }, (_, at) => String(at)),
  );
});

test("an end that comes before the beginning is refused; one that has come ends it", async (context) => {
  const journal = journalIn(context);
  journal.append([event("a")]);
  await assert.rejects(idsOf(journal, { sinceMs: 2000, untilMs: 1000 }), { code: "INVALID_TIME" });
  assert.deepEqual(await idsOf(journal, { sinceMs: 0, untilMs: 1000 }), []);
  assert.deepEqual(await idsOf(journal, { untilMs: 1000 }), []);
});

const told: readonly (readonly [string, Partial<EventMessage>])[] = [
  ["create box", { id: "aaa", action: "create", attributes: { image: "busybox:1.36", name: "box-a", tier: "back" } }],
  ["exec box", { id: "aaa", action: "exec_create: true ", attributes: { image: "busybox:1.36", name: "box-a", tier: "back" } }],
  ["healthy web", { id: "bbb", action: "health_status: healthy", attributes: { image: "nginx", name: "web" } }],
  ["tag busybox", { id: "sha256:c0", type: "image", action: "tag", attributes: { name: "localhost:5000/busybox:1.36" } }],
  ["pull nginx", { id: "nginx:latest", type: "image", action: "pull", attributes: { name: "nginx" } }],
  ["mount box-v", { id: "box-v", type: "volume", action: "mount", attributes: { container: "aaa", driver: "local" } }],
  ["connect bridge", { id: "ddd", type: "network", action: "connect", attributes: { name: "bridge", container: "aaa" } }],
];

const filtered: readonly { readonly filters: Filters; readonly want: readonly string[] }[] = [
  { filters: {}, want: told.map(([name]) => name) },
  { filters: { type: ["image", "volume"] }, want: ["tag busybox", "pull nginx", "mount box-v"] },
  { filters: { type: ["imag"] }, want: [] },
  { filters: { event: ["create"] }, want: ["create box"] },
  { filters: { event: ["exec_create"] }, want: ["exec box"] },
  { filters: { event: ["exec_create: true"] }, want: [] },
  { filters: { event: ["health_status", "create"] }, want: ["create box", "healthy web"] },
  { filters: { event: ["health_status: healthy"] }, want: ["healthy web"] },
  { filters: { container: ["box"] }, want: ["create box", "exec box", "mount box-v"] },
  { filters: { container: ["aa"] }, want: ["create box", "exec box"] },
  { filters: { network: ["bridge"] }, want: ["connect bridge"] },
  { filters: { image: ["busybox"] }, want: ["create box", "exec box"] },
  { filters: { image: ["busybox:1.36"] }, want: ["create box", "exec box"] },
  { filters: { image: ["localhost:5000/busybox"] }, want: ["tag busybox"] },
  { filters: { image: ["nginx"] }, want: ["healthy web", "pull nginx"] },
  { filters: { image: ["sha256:c0"] }, want: ["tag busybox"] },
  { filters: { label: ["tier"] }, want: ["create box", "exec box"] },
  { filters: { label: ["tier=back", "tier=front"] }, want: [] },
  { filters: { scope: ["local"], nosuch: ["x"], event: ["create"] }, want: ["create box"] },
  { filters: { scope: ["swarm"] }, want: [] },
  { filters: { daemon: ["x"] }, want: [] },
];

for (const { filters, want } of filtered) {
  test(`filters ${JSON.stringify(filters)}`, () => {
    const messages = told.map(([name, changes]) => ({ name, message: { ...event("x"), timeNano: 1n, ...changes } }));
    assert.deepEqual(
      messages.filter(({ message }) => matchesEvent(message, filters)).map(({ name }) => name),
      want,
    );
  });
}

test("a line's time is exact", () => {
  const line = '1795811559507673946 {"type":"volume","action":"create","id":"v","attributes":{"driver":"local"}}';
  assert.equal(parseEvent(line)?.timeNano, 1_795_811_559_507_673_946n);
});
