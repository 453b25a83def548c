import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";

const { version } = JSON.parse(readFileSync("package.json", "utf8"));
mkdirSync("dist");
for (const name of readdirSync("src")) writeFileSync(`dist/${name}`, readFileSync(`src/${name}`, "utf8").replaceAll("__VERSION__", version));
