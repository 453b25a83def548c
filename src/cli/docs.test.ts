import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { commandTable } from "./definitions/index.ts";
import { documentationPages, shortestPath } from "./docs.ts";

test("the pages of docs/cli are those of the table", () => {
  for (const [name, text] of documentationPages(commandTable)) {
    assert.equal(readFileSync(new URL(`../../docs/cli/${name}`, import.meta.url), "utf8"), text, `${name}: run npm run docs`);
  }
});

test("a page stands under the name that people type", () => {
  const names = commandTable.commands.map(shortestPath);
  for (const name of ["images", "ps", "run", "rmi", "build", "builder prune", "image inspect"]) assert.ok(names.includes(name), name);
});
