import { cpSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";

for (const name of readdirSync("packages").sort()) {
  mkdirSync(`packages/${name}/dist`, { recursive: true });
  cpSync(`packages/${name}/src`, `packages/${name}/dist`, { recursive: true, preserveTimestamps: true });
  writeFileSync(`.build-cache/${name}`, "built");
}
