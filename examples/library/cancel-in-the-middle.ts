/** Cancels a build while its second step runs; the first step stays finished, and the next build goes on from there. */
import assert from "node:assert/strict";
import { createBase } from "./base.ts";
import { createWorkplace } from "./store.ts";

await using workplace = await createWorkplace();
const { slipway } = workplace;
const base = await createBase(workplace);
const context = { kind: "directory", path: workplace.context({}) } as const;
const dockerfile = (last: string) => ({ kind: "text", text: `FROM ${base}\nRUN echo finished >/one\n${last}\n` }) as const;

const controller = new AbortController();
const first = slipway.build({ context, dockerfile: dockerfile("RUN echo waiting; sleep 600"), signal: controller.signal });
const outcome = first.result.then(
  () => "finished",
  (error: unknown) => (error instanceof Error && "code" in error ? String(error.code) : String(error)),
);
const begunMs = Date.now();
for await (const event of first) {
  if (event.type === "log" && Buffer.from(event.data).includes("waiting")) controller.abort();
}
console.log(`canceled: ${await outcome}, ${Date.now() - begunMs} ms after the start`);
assert.equal(await outcome, "CANCELED");

const second = slipway.build({ context, dockerfile: dockerfile("RUN echo gone on >/two"), tags: ["resumed"] });
const cached: string[] = [];
for await (const event of second) if (event.type === "vertex" && event.cached === true) cached.push(event.name);
await second.result;
console.log(`taken from the canceled build: ${cached.filter((name) => name.includes("RUN")).join(", ")}`);
assert.ok(cached.some((name) => name.includes("echo finished")));
