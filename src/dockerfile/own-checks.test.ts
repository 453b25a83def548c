import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { assertChecks, checkDockerfile, type CheckOptions } from "./checks.ts";
import { isOwnRule } from "./own-rules.ts";
import { parseDockerfile } from "./parse.ts";

interface Case {
  readonly name: string;
  readonly dockerfile: string;
  readonly options?: CheckOptions;
  readonly expected: readonly string[];
}

/** `line message` of each. */
function own(dockerfile: string, options: CheckOptions = {}): readonly string[] {
  const warnings = checkDockerfile(parseDockerfile(dockerfile), { baseImage: () => ({ variables: [], triggers: [] }), ...options });
  return warnings.filter(({ rule }) => isOwnRule(rule)).map(({ lines, message }) => `${lines?.start} ${message}`);
}

function table(title: string, cases: readonly Case[]): void {
  describe(title, () => {
    for (const { name, dockerfile, options, expected } of cases) it(name, () => assert.deepEqual(own(dockerfile, options), expected));
  });
}

const again = (line: number, command: string, path: string, advice: string): string =>
  `${line} ${command} stores what was copied to ${path} a second time, use COPY --${advice}`;

table("OwnerChangedAfterCopy", [
  { name: "the directory itself", dockerfile: "FROM a\nCOPY . /app\nRUN chown -R app /app\n", expected: [again(3, "chown -R", "/app", "chown=app")] },
  { name: "relative to WORKDIR", dockerfile: "FROM a\nWORKDIR /srv\nCOPY . .\nRUN chmod -R g+w .\n", expected: [again(4, "chmod -R", "/srv", "chmod=g+w")] },
  { name: "above it", dockerfile: "FROM a\nCOPY src /app/src\nRUN chown -R app /app\n", expected: [again(3, "chown -R", "/app/src", "chown=app")] },
  {
    name: "below it, behind others",
    dockerfile: "FROM a\nCOPY . /app\nRUN set -e; useradd app && chown --recursive app:app /app/data /x\n",
    expected: [again(3, "chown -R", "/app", "chown=app:app")],
  },
  { name: "flags together, a glob", dockerfile: "FROM a\nADD x.tar /app\nRUN chown -hR 1:1 /app/*\n", expected: [again(3, "chown -R", "/app", "chown=1:1")] },
  { name: "variables", dockerfile: "FROM a\nARG U=app D=/app\nCOPY . $D\nRUN chown -R ${U} $D\n", expected: [again(4, "chown -R", "/app", "chown=app")] },
  {
    name: "exec form of a shell",
    dockerfile: 'FROM a\nCOPY . /app\nRUN ["/bin/sh", "-c", "chown -R app /app"]\n',
    expected: [again(3, "chown -R", "/app", "chown=app")],
  },
  { name: "heredoc", dockerfile: "FROM a\nCOPY . /app\nRUN <<E\nchown -R app /app\nE\n", expected: [again(3, "chown -R", "/app", "chown=app")] },
  {
    name: "what a stage below copied",
    dockerfile: "FROM a AS b\nCOPY . /app\nFROM b\nRUN chown -R app /app\n",
    expected: [again(4, "chown -R", "/app", "chown=app")],
  },
  {
    name: "once for several",
    dockerfile: "FROM a\nCOPY . /app\nCOPY . /b\nRUN chown -R app /app && chown -R app /b\n",
    expected: [again(4, "chown -R", "/b", "chown=app")],
  },
  { name: "not without -R", dockerfile: "FROM a\nCOPY . /app\nRUN chown app /app\n", expected: [] },
  { name: "not elsewhere", dockerfile: "FROM a\nCOPY . /app\nRUN chown -R app /var/lib/app /application\n", expected: [] },
  { name: "not a lone file below", dockerfile: "FROM a\nCOPY nginx.conf /etc/nginx/nginx.conf\nRUN chown -R nginx /etc/nginx\n", expected: [] },
  { name: "not what COPY gave already", dockerfile: "FROM a\nCOPY --chown=app . /app\nRUN chown -R app /app\n", expected: [] },
  {
    name: "not in a stage that is copied from",
    dockerfile: "FROM a AS b\nCOPY . /app\nRUN chown -R app /app\nFROM a\nCOPY --from=b /app /app\n",
    expected: [],
  },
  { name: "not below a mount", dockerfile: "FROM a\nCOPY . /app\nRUN --mount=type=cache,target=/app/c chown -R app /app/c\n", expected: [] },
  { name: "not what only the shell knows", dockerfile: "FROM a\nCOPY . /app\nRUN chown -R app $(pwd) $UNKNOWN\n", expected: [] },
  { name: "not in another language", dockerfile: "FROM a\nCOPY . /app\nRUN <<E\n#!/usr/bin/env python3\nchown -R app /app\nE\n", expected: [] },
  { name: "not before the copy", dockerfile: "FROM a\nRUN chown -R app /app\nCOPY . /app\n", expected: [] },
]);

const lock = "copy package.json and package-lock.json and install before the rest is copied";
table("CopyBeforeInstall", [
  { name: "COPY . .", dockerfile: "FROM a\nCOPY . .\nRUN npm ci\n", expected: [`3 npm ci runs again whenever any file changes, ${lock}`] },
  {
    name: "in a stage that is copied from",
    dockerfile: "FROM a AS b\nADD ./ /app\nRUN cd /app && npm ci\nFROM a\nCOPY --from=b / /\n",
    expected: [`3 npm ci runs again whenever any file changes, ${lock}`],
  },
  {
    name: "once a tool",
    dockerfile: "FROM a\nCOPY . .\nRUN npm ci\nRUN npm ci --omit=dev\n",
    expected: [`3 npm ci runs again whenever any file changes, ${lock}`],
  },
  {
    name: "in the base stage",
    dockerfile: "FROM a AS b\nCOPY . .\nFROM b\nRUN go mod download\n",
    expected: ["4 go mod download runs again whenever any file changes, copy go.mod and go.sum and install before the rest is copied"],
  },
  { name: "not when it was installed before", dockerfile: "FROM a\nCOPY package.json .\nRUN npm ci\nCOPY . .\nRUN npm ci --omit=dev\n", expected: [] },
  { name: "not with a cache mount", dockerfile: "FROM a\nCOPY . .\nRUN --mount=type=cache,target=/root/.npm npm ci\n", expected: [] },
  { name: "not behind another copy", dockerfile: "FROM a\nCOPY src /src\nCOPY --from=a . .\nRUN npm ci\n", expected: [] },
]);

const lists = "leaves /var/lib/apt/lists in the layer, end the same RUN with rm -rf /var/lib/apt/lists/*";
table("AptListsInLayer", [
  { name: "left", dockerfile: "FROM a\nRUN apt-get update && apt-get install -y x\n", expected: [`2 apt-get update ${lists}`] },
  { name: "removed too late", dockerfile: "FROM a\nRUN apt -qq update\nRUN rm -rf /var/lib/apt/lists/*\n", expected: [`2 apt update ${lists}`] },
  { name: "not when removed", dockerfile: "FROM a\nRUN apt-get update && apt-get install -y x && rm -rf /var/lib/apt/lists/*\n", expected: [] },
  { name: "not with dist-clean", dockerfile: "FROM a\nRUN apt-get update && apt-get install -y x && apt-get dist-clean\n", expected: [] },
  { name: "not below a cache mount", dockerfile: "FROM a\nRUN --mount=type=cache,target=/var/lib/apt,sharing=locked apt-get update\n", expected: [] },
  { name: "not below a tmpfs", dockerfile: "FROM a\nRUN --mount=type=tmpfs,target=/var/lib/apt/lists apt-get update\n", expected: [] },
  { name: "not in a stage that is copied from", dockerfile: "FROM a AS b\nRUN apt-get update\nFROM a\nRUN --mount=from=b,target=/b true\n", expected: [] },
  { name: "in what a shipped stage stands on", dockerfile: "FROM a AS b\nRUN apt-get update\nFROM b\n", expected: [`2 apt-get update ${lists}`] },
]);

const nested = { nestedNodeModules: () => "packages/web/node_modules" };
const copied = "packages/web/node_modules is copied, node_modules in .dockerignore holds at the root only, use **/node_modules";
table("NestedNodeModules", [
  { name: "the whole context, once", dockerfile: "FROM a\nCOPY . /a\nCOPY ./ /b\n", options: nested, expected: [`2 ${copied}`] },
  { name: "a directory above it", dockerfile: "FROM a\nCOPY other x /a\nCOPY ./packages/ /b\n", options: nested, expected: [`3 ${copied}`] },
  { name: "not of a stage", dockerfile: "FROM a\nCOPY --from=b . /a\n", options: nested, expected: [] },
  { name: "not elsewhere", dockerfile: "FROM a\nCOPY packages/webx /a\n", options: nested, expected: [] },
]);

const withRepository = { repository: () => ".git" };
const history = ".git is copied: all of the history comes into the image, and no two checkouts have the same, name it in .dockerignore";
table("RepositoryCopied", [
  { name: "the whole context, once", dockerfile: "FROM a\nCOPY . /a\nADD . /b\n", options: withRepository, expected: [`2 ${history}`] },
  { name: "by name", dockerfile: "FROM a\nCOPY .git /a\n", options: withRepository, expected: [`2 ${history}`] },
  { name: "not of a stage", dockerfile: "FROM a\nCOPY --from=b . /a\n", options: withRepository, expected: [] },
  { name: "not with other files", dockerfile: "FROM a\nCOPY src .gitignore /a\n", options: withRepository, expected: [] },
]);

const mount = "use RUN --mount=type=secret";
table("SecretInValue", [
  {
    name: "ENV, global ARG, LABEL",
    dockerfile: "ARG U=http://a:b@c\nFROM a\nENV U=http://a:b@c\nLABEL l=http://a:b@c\n",
    expected: ["ARG U", "ENV U", "LABEL l"].map((where, index) => `${[1, 3, 4][index]} The value of ${where} holds a password, ${mount}`),
  },
  { name: "not what BuildKit's rule says already", dockerfile: "FROM a\nENV DB_PASSWORD=http://a:b@c\n", expected: [] },
]);

describe("our own rules", () => {
  const text = "FROM scratch AS a\nCOPY . /app\nRUN chown -R app /app\n";
  const found = (directive: string): readonly string[] => own(`# check=${directive}\n${text}`);
  it("are left out by name", () => assert.deepEqual(found("skip=OwnerChangedAfterCopy"), []));
  it("are left out together", () => assert.deepEqual(found("skip=slipway"), []));
  it("are left out with all", () => assert.deepEqual(found("skip=all"), []));
  it("are not of stages that are not built", () => assert.deepEqual(own(`${text}FROM a\n`, { reachable: new Set() }), []));
  it("fail no build", () => {
    const dockerfile = parseDockerfile(`# check=error=true\n${text}`);
    const warnings = checkDockerfile(dockerfile);
    assert.equal(warnings.length, 1);
    assert.doesNotThrow(() => assertChecks(dockerfile, warnings));
  });
  it("come behind BuildKit's", () => {
    const rules = checkDockerfile(parseDockerfile(`${text}CMD x\n`)).map(({ rule }) => rule);
    assert.deepEqual(rules, ["JSONArgsRecommended", "OwnerChangedAfterCopy"]);
  });
});
