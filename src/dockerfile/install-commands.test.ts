import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { installationOf } from "./install-commands.ts";
import { splitShellCommands } from "./shell-commands.ts";

describe("installationOf", () => {
  const cases: { script: string; command: string | undefined; files?: string }[] = [
    { script: "npm ci --omit=dev", command: "npm ci", files: "package.json and package-lock.json" },
    { script: "npm install", command: "npm install", files: "package.json and package-lock.json" },
    { script: "npm install -g pnpm", command: undefined },
    { script: "npm install express", command: undefined },
    { script: "npm run build", command: undefined },
    { script: "yarn", command: "yarn install", files: "package.json and yarn.lock" },
    { script: "yarn install --frozen-lockfile", command: "yarn install", files: "package.json and yarn.lock" },
    { script: "yarn build", command: undefined },
    { script: "pnpm i --frozen-lockfile", command: "pnpm i", files: "package.json and pnpm-lock.yaml" },
    { script: "pip install --no-cache-dir -r requirements/base.txt", command: "pip install -r", files: "requirements/base.txt" },
    { script: "pip3 install -rdev.txt", command: "pip3 install -r", files: "dev.txt" },
    { script: "python3 -m pip install --requirement=r.txt", command: "pip install -r", files: "r.txt" },
    { script: "pip install flask", command: undefined },
    { script: "uv sync --locked", command: "uv sync", files: "pyproject.toml and uv.lock" },
    { script: "uv pip install -r r.txt", command: "uv install -r", files: "r.txt" },
    { script: "/usr/local/go/bin/go mod download", command: "go mod download", files: "go.mod and go.sum" },
    { script: "go build ./...", command: undefined },
    { script: "bundle install --jobs=4", command: "bundle install", files: "Gemfile and Gemfile.lock" },
    { script: "cargo build --release", command: "cargo build", files: "Cargo.toml and Cargo.lock" },
    { script: "cargo test", command: undefined },
    { script: "composer install --no-dev", command: "composer install", files: "composer.json and composer.lock" },
    { script: "toString", command: undefined },
  ];
  for (const { script, command, files } of cases) {
    it(script, () => {
      const found = installationOf(splitShellCommands(script)[0] ?? []);
      assert.deepEqual(found, command === undefined ? undefined : { command, files });
    });
  }
});
