/**
 * All unit tests of src in one process: the runner gives every file below test/ a process of its own, and starting one
 * per unit file would cost more than the tests themselves.
 */
import { globSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const root = path.resolve(import.meta.dirname, "..");
for (const file of globSync("src/**/*.test.ts", { cwd: root }).toSorted()) {
  await import(pathToFileURL(path.join(root, file)).href);
}
