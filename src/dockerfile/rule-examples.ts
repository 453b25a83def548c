/** A page's worth about each rule: why, a Dockerfile that breaks it, one that keeps it. docs/rules is generated from this. */
import type { RuleName } from "./rules.ts";

export interface RuleExample {
  readonly why: string;
  readonly bad: string;
  readonly good: string;
  /** the `.dockerignore` of both, or of each */
  readonly ignore?: string | { readonly bad: string; readonly good: string };
  /** a directory of the context that both see, unless it is ignored */
  readonly contextDirectory?: string;
}

export const ruleExamples: Readonly<Record<RuleName, RuleExample>> = {
  StageNameCasing: {
    why: "Stage names are compared in lower case, except behind FROM. A name in lower case is the same everywhere.",
    bad: "FROM alpine AS Builder\nRUN make\n",
    good: "FROM alpine AS builder\nRUN make\n",
  },
  FromAsCasing: {
    why: "One instruction, one way of writing: `FROM … AS` or `from … as`.",
    bad: "FROM alpine as builder\n",
    good: "FROM alpine AS builder\n",
  },
  NoEmptyContinuation: {
    why: "A blank line inside a continued instruction looks like its end and is not. Comment lines are fine.",
    bad: "FROM alpine\nRUN apk add curl \\\n\n    git\n",
    good: "FROM alpine\nRUN apk add curl \\\n    git\n",
  },
  ConsistentInstructionCasing: {
    why: "Instructions may be written in any case; a file should choose one.",
    bad: "FROM alpine\nWORKDIR /app\nrun make\n",
    good: "FROM alpine\nWORKDIR /app\nRUN make\n",
  },
  DuplicateStageName: {
    why: "Of stages with the same name only the last can be meant by `--target` and `COPY --from`.",
    bad: "FROM alpine AS build\nRUN make\nFROM alpine AS build\n",
    good: "FROM alpine AS build\nRUN make\nFROM alpine AS final\n",
  },
  ReservedStageName: {
    why: "`scratch` is the empty base and `context` the build's own files: a stage of that name hides them.",
    bad: "FROM alpine AS scratch\n",
    good: "FROM alpine AS base\n",
  },
  JSONArgsRecommended: {
    why: "The shell form runs `/bin/sh -c`, which does not pass signals on: `docker stop` waits ten seconds and kills. The JSON form runs the program itself; with SHELL set the shell is taken to be meant.",
    bad: "FROM alpine\nENTRYPOINT my-program start\n",
    good: 'FROM alpine\nENTRYPOINT ["my-program", "start"]\n',
  },
  MaintainerDeprecated: {
    why: "A label says the same, and tools read it.",
    bad: "FROM alpine\nMAINTAINER moby@example.com\n",
    good: 'FROM alpine\nLABEL org.opencontainers.image.authors="moby@example.com"\n',
  },
  UndefinedArgInFrom: {
    why: "FROM sees the ARGs that stand before the first FROM, and nothing else. A misspelt one is empty.",
    bad: "ARG VERSION=3.20\nFROM alpine:${VERSON:-latest}\n",
    good: "ARG VERSION=3.20\nFROM alpine:${VERSION}\n",
  },
  WorkdirRelativePath: {
    why: "Without an absolute WORKDIR before it, a relative one depends on the base image.",
    bad: "FROM alpine\nWORKDIR usr/share/app\n",
    good: "FROM alpine\nWORKDIR /usr/share/app\n",
  },
  UndefinedVar: {
    why: "A variable that neither ARG nor ENV nor the base image sets is empty. RUN is not looked at: its shell has variables of its own.",
    bad: "FROM scratch\nARG VERSION=1\nLABEL version=$VERSON\n",
    good: "FROM scratch\nARG VERSION=1\nLABEL version=$VERSION\n",
  },
  MultipleInstructionsDisallowed: {
    why: "Of several CMD, ENTRYPOINT or HEALTHCHECK in a stage only the last counts.",
    bad: 'FROM alpine\nCMD ["first"]\nCMD ["second"]\n',
    good: 'FROM alpine\nCMD ["second"]\n',
  },
  LegacyKeyValueFormat: {
    why: "`ENV key value` takes the rest of the line for one value; `ENV key=value` says what is meant.",
    bad: "FROM alpine\nENV DIR /app\n",
    good: "FROM alpine\nENV DIR=/app\n",
  },
  InvalidBaseImagePlatform: {
    why: "An image that was made for one platform alone is taken for another one too, and what it holds may not run there.",
    bad: "FROM --platform=$TARGETPLATFORM example.com/only-for-amd64\n",
    good: "FROM example.com/for-many-platforms\n",
  },
  RedundantTargetPlatform: {
    why: "A stage is for the target platform anyway.",
    bad: "FROM --platform=$TARGETPLATFORM alpine\n",
    good: "FROM alpine\n",
  },
  SecretsUsedInArgOrEnv: {
    why: "ARG and ENV are stored in the image's history and config, where everybody who has the image can read them. The rule goes by names; secrets belong in `RUN --mount=type=secret`.",
    bad: "FROM alpine\nARG API_TOKEN\nRUN fetch --token=$API_TOKEN\n",
    good: "FROM alpine\nRUN --mount=type=secret,id=token,env=TOKEN fetch\n",
  },
  InvalidDefaultArgInFrom: {
    why: "A file should build without `--build-arg`: the defaults must give a valid image name.",
    bad: "ARG TAG\nFROM alpine:${TAG}\n",
    good: "ARG TAG=latest\nFROM alpine:${TAG}\n",
  },
  FromPlatformFlagConstDisallowed: {
    why: "A fixed platform keeps `--platform` of the build from working. A stage whose name tells the platform is taken to be meant so.",
    bad: "FROM --platform=linux/amd64 alpine AS base\n",
    good: "FROM --platform=$BUILDPLATFORM alpine AS base\n",
  },
  CopyIgnoredFile: {
    why: "What `.dockerignore` leaves out cannot be copied. Off unless `# check=experimental=CopyIgnoredFile` asks for it.",
    bad: "# check=experimental=CopyIgnoredFile\nFROM alpine\nCOPY notes.tmp /app/\n",
    good: "# check=experimental=CopyIgnoredFile\nFROM alpine\nCOPY notes.txt /app/\n",
    ignore: "*.tmp\n",
  },
  InvalidDefinitionDescription: {
    why: "`--call=outline` and `--call=targets` show a comment `# NAME description` above an ARG or FROM. Other comments should be set apart by an empty line. Off unless `# check=experimental=InvalidDefinitionDescription` asks for it.",
    bad: "# check=experimental=InvalidDefinitionDescription\n\n# the version to use\nARG VERSION=3.20\nFROM alpine:${VERSION}\n",
    good: "# check=experimental=InvalidDefinitionDescription\n\n# VERSION the version to use\nARG VERSION=3.20\nFROM alpine:${VERSION}\n",
  },
  ExposeProtoCasing: {
    why: "Protocols are stored in lower case.",
    bad: "FROM alpine\nEXPOSE 80/TCP\n",
    good: "FROM alpine\nEXPOSE 80/tcp\n",
  },
  ExposeInvalidFormat: {
    why: "EXPOSE names ports of the container. Addresses and ports of the machine belong to `run -p`.",
    bad: "FROM alpine\nEXPOSE 127.0.0.1:8080:80\n",
    good: "FROM alpine\nEXPOSE 80\n",
  },
  OwnerChangedAfterCopy: {
    why: "A layer cannot change the owner or mode of a file below it: it stores the file again. `chown -R` or `chmod -R` over what COPY has stored doubles it in the image. COPY can give owner and mode itself. Stages that others merely copy from do not matter.",
    bad: "FROM alpine\nWORKDIR /app\nCOPY dist/ .\nRUN chown -R app:app /app\n",
    good: "FROM alpine\nWORKDIR /app\nCOPY --chown=app:app dist/ .\n",
  },
  CopyBeforeInstall: {
    why: "A step runs again when the files it stands on have changed. Behind `COPY . .` the installation of dependencies runs after every change of any source. Copy the files that list them, install, then copy the rest; a `--mount=type=cache` for the downloads counts too.",
    bad: "FROM alpine\nWORKDIR /app\nCOPY . .\nRUN npm ci\nRUN npm run build\n",
    good: "FROM alpine\nWORKDIR /app\nCOPY package.json package-lock.json ./\nRUN npm ci\nCOPY . .\nRUN npm run build\n",
  },
  AptListsInLayer: {
    why: "`apt-get update` fetches lists of all packages, some 20 to 50 MB, which stay in the layer of that RUN whatever later ones remove. Remove them in the same RUN, or lay a cache mount over them.",
    bad: "FROM debian\nRUN apt-get update && apt-get install -y curl\n",
    good: "FROM debian\nRUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*\n",
  },
  NestedNodeModules: {
    why: "Unlike in `.gitignore`, a name in `.dockerignore` holds at the root of the context. The packages of a workspace have node_modules of their own, which are then sent and copied: large, and built for another machine. `**/node_modules` leaves out all of them.",
    bad: "FROM alpine\nWORKDIR /app\nCOPY . .\n",
    good: "FROM alpine\nWORKDIR /app\nCOPY . .\n",
    ignore: { bad: "node_modules\n", good: "**/node_modules\n" },
    contextDirectory: "packages/web/node_modules",
  },
  RepositoryCopied: {
    why: "`COPY . .` takes `.git` along: every version of every file, also of secrets that were removed, in each image. It changes with every command of git, so the step and all behind it miss the cache, and no two checkouts have the same one, so one commit makes many images.",
    bad: "FROM alpine\nWORKDIR /app\nCOPY . .\n",
    good: "FROM alpine\nWORKDIR /app\nCOPY . .\n",
    ignore: { bad: "dist\n", good: ".git\n" },
    contextDirectory: ".git",
  },
  SecretInValue: {
    why: "Passwords in URLs, tokens and private keys in the values of ARG, ENV and LABEL are stored in the image for everybody to read, whatever the variable is called. The rule goes by the shape of the value and never prints it.",
    bad: "FROM alpine\nENV DATABASE_URL=postgres://app:hunter2@db/app\n",
    good: "FROM alpine\nRUN --mount=type=secret,id=database,env=DATABASE_URL migrate\n",
  },
};
