/** A Dockerfile and its context by chance, the same for the same seed. Few names, so that what is made meets what is there. */

import { createDice, type Dice } from "./dice.ts";
import { makeWideCase, wideKinds, type WideKind } from "./make-wide-case.ts";
import { mixedLines, mixedIgnore } from "./mixed-lines.ts";

type PlainKind = "copy" | "run" | "config" | "mixed";
export type Kind = PlainKind | WideKind;

const names = ["a", "b", "c", "d1", "d2", "f.txt", "g.txt", ".h", "l"] as const;
const owners = ["5:6", "0:0", "7", "daemon", "nobody:users", "1000:1000"] as const;
const modes = ["0600", "755", "4711", "0777", "000", "1777", "u+x", "go-rwx", "u=rwX,go=rX", "a+X"] as const;

/** In the case files' notation. */
export function makeCase(seed: number, kind: Kind): string {
  const dice = createDice(seed * 7919 + kind.length);
  const isWide = (name: Kind): name is WideKind => wideKinds.some((known) => known === name);
  if (isWide(kind)) return makeWideCase(dice, kind, `${kind}-${seed}`);
  const context = makeContext(dice, seed);
  const known = context.filter((line) => line.startsWith("-- ")).map((line) => (line.split(" ")[1] ?? "").replace(/\/$/, ""));
  return [`== ${kind}-${seed}`, "-- Dockerfile", ...linesOf(kind, dice, known), ...context, ...(kind === "mixed" ? mixedIgnore(dice, known) : []), ""].join(
    "\n",
  );
}

function linesOf(kind: PlainKind, dice: Dice, known: readonly string[]): readonly string[] {
  switch (kind) {
    case "copy":
      return copyLines(dice, known);
    case "run":
      return runLines(dice);
    case "config":
      return configLines(dice);
    case "mixed":
      return mixedLines(dice, known);
  }
}

function somePath(dice: Dice, depth = 3): string {
  const parts = Array.from({ length: 1 + dice.roll(depth) }, () => dice.pick(names));
  return parts.join("/");
}

/** Contents differ from seed to seed: what a builder still has of an earlier case would come with that case's times. */
function makeContext(dice: Dice, seed: number): readonly string[] {
  const sections: string[] = [];
  const kinds = new Map<string, "directory" | "other">();
  const count = 3 + dice.roll(8);
  for (let at = 0; at < count; at++) {
    const path = somePath(dice);
    const parents = path
      .split("/")
      .slice(0, -1)
      .map((_, index, parts) => parts.slice(0, index + 1).join("/"));
    if (kinds.has(path) || parents.some((parent) => kinds.get(parent) === "other")) continue;
    for (const parent of parents) kinds.set(parent, "directory");
    const extra = `${dice.chance(0.3) ? ` ${dice.pick(["0600", "0755", "4755", "0400", "1777", "2755"])}` : ""}${dice.chance(0.3) ? ` @${1_000_000_000 + dice.roll(1000)}` : ""}`;
    const kind = dice.roll(10);
    kinds.set(path, kind === 0 ? "directory" : "other");
    if (kind === 0) sections.push(`-- ${path}/${extra}`);
    else if (kind <= 2) sections.push(`-- ${path} -> ${dice.pick([somePath(dice), `../${somePath(dice, 2)}`, `/${somePath(dice)}`, ".", ".."])}`);
    else if (kind === 3) sections.push(`-- ${path} ${dice.pick(["tar", "tgz"])}`, ...tarLines(dice));
    else sections.push(`-- ${path}${extra}`, `content ${dice.roll(3)} of ${seed}`);
  }
  return sections;
}

function tarLines(dice: Dice): readonly string[] {
  return Array.from({ length: 1 + dice.roll(4) }, () => {
    const path = somePath(dice);
    const mode = dice.pick(["0644", "0700", "0755"]);
    const kind = dice.roll(6);
    if (kind === 0) return `${path}/ ${mode} 3:4`;
    if (kind === 1) return `${path} -> ${somePath(dice)}`;
    return `${path} ${mode} ${dice.pick(["0:0", "8:9"])} @${1_100_000_000 + dice.roll(100)} :: in a tar\\n`;
  });
}

/** Mostly something that is there. */
function source(dice: Dice, known: readonly string[]): string {
  const kind = dice.roll(40);
  if (kind === 0) return ".";
  if (kind === 1) return `${dice.pick(names)}/`;
  if (kind >= 10 && known.length > 0) {
    const whole = dice.pick(known);
    const path = dice.chance(0.4)
      ? whole
          .split("/")
          .slice(0, 1 + dice.roll(3))
          .join("/")
      : whole;
    return dice.pick([path, path, path, `/${path}`, `./${path}`, `${path}/.`, path.replace(/[^/]$/, "?"), path.replace(/[^/]+$/, "*")]);
  }
  if (kind <= 6) return dice.pick(["*", "d*", "*.txt", "[ab]", "?", "*/*", "d?/*", ".*", "d1/*.txt", "l*"]);
  return somePath(dice, 2);
}

function destination(dice: Dice): string {
  const kind = dice.roll(10);
  if (kind === 0) return dice.pick(["/", ".", "./", "..", "/x/../y"]);
  if (kind <= 2) return `/${dice.pick(names)}`;
  if (kind <= 4) return `/${dice.pick(names)}/`;
  if (kind === 5) return dice.pick(names);
  if (kind === 6) return `${dice.pick(names)}/`;
  return `/out/${somePath(dice, 2)}${dice.chance(0.5) ? "/" : ""}`;
}

function copyLine(dice: Dice, stages: readonly string[], known: readonly string[]): string {
  const isAdd = dice.chance(0.25);
  const flags: string[] = [];
  const fromStage = !isAdd && stages.length > 0 && dice.chance(0.35);
  if (fromStage) flags.push(`--from=${dice.pick(stages)}`);
  if (dice.chance(0.2)) flags.push(`--chown=${dice.pick(owners)}`);
  if (dice.chance(0.2)) flags.push(`--chmod=${dice.pick(modes)}`);
  if (dice.chance(0.15)) flags.push("--link");
  const sources = Array.from({ length: dice.chance(0.25) ? 2 : 1 }, () =>
    fromStage && dice.chance(0.8)
      ? dice.pick(["/out", "/out/", "/out/*", "/bin/vi", "/etc/*", "/in", "in/*", ...known.map((path) => `/in/${path}`)])
      : source(dice, known),
  );
  return [isAdd ? "ADD" : "COPY", ...flags, ...sources, destination(dice)].join(" ");
}

const shellPath = (dice: Dice): string =>
  dice.chance(0.2)
    ? `/in/${dice.pick(names)}`
    : dice.chance(0.3)
      ? `/${dice.pick(names)}`
      : dice.chance(0.5)
        ? `/out/${somePath(dice, 2)}`
        : dice.pick(["/tmp/x", "/bin/vi", "/etc/group", "/home", "/usr/bin", "/var"]);

function shellCommand(dice: Dice): string {
  const a = shellPath(dice);
  const b = shellPath(dice);
  const dir = "${D%/*}";
  const at = (command: string): string => `D=${a}; mkdir -p ${dir} 2>/dev/null; ${command}`;
  return dice.pick([
    `mkdir -p ${a}`,
    at(`ln -s ${b} $D`),
    at(`ln -s ../${dice.pick(names)} $D`),
    at(`echo ${dice.roll(3)} >$D`),
    at(`echo more >>$D`),
    `rm -rf ${a}`,
    `rm -rf ${a} && mkdir -p ${a}`,
    `rm -rf ${a} && D=${a} && mkdir -p ${dir} && echo new >$D`,
    at(`mv ${b} $D`),
    at(`cp -a ${b} $D`),
    at(`ln ${b} $D`),
    `chmod ${dice.pick(["700", "4755", "1777", "0"])} ${a}`,
    `chown -h ${dice.pick(["5:6", "nobody", "0:0"])} ${a}`,
    `chown -R 0:0 ${a}; chmod -R u+w ${a}`,
    `touch -d @${1_200_000_000 + dice.roll(50)} ${a}`,
    at(`mkfifo $D`),
    at(`mknod $D ${dice.pick(["c 1 3", "b 7 1"])}`),
    `mv ${a} ${a}.new && mv ${a}.new ${a}`,
  ]);
}

function runLine(dice: Dice): string {
  const commands = Array.from({ length: 1 + dice.roll(3) }, () => `(${shellCommand(dice)})`);
  const mount = dice.chance(0.15)
    ? `${dice.pick([`--mount=type=cache,target=${shellPath(dice)}`, `--mount=type=tmpfs,target=${shellPath(dice)}`, `--mount=target=/out/m`, `--mount=type=bind,target=${shellPath(dice)},rw`])} `
    : "";
  return `RUN ${mount}${commands.join("; ")}; true`;
}

function copyLines(dice: Dice, known: readonly string[]): readonly string[] {
  const withStage = dice.chance(0.5);
  const first = withStage ? ["FROM base AS one", "COPY . /in", runLine(dice), copyLine(dice, [], known)] : [];
  const stages = withStage ? ["one", "0", "ONE"] : [];
  const rest = Array.from({ length: 1 + dice.roll(4) }, () => {
    const kind = dice.roll(12);
    if (kind === 0) return `WORKDIR ${dice.pick(["/out", "out", "/w/x", "..", "/d1"])}`;
    if (kind === 1) return runLine(dice);
    if (kind === 2) return `USER ${dice.pick(["daemon", "5:6", "nobody:users"])}`;
    return copyLine(dice, stages, known);
  });
  return [...first, `FROM ${dice.chance(0.15) ? "scratch" : "base"}`, ...rest.map((line) => line)];
}

function runLines(dice: Dice): readonly string[] {
  return ["FROM base", ...Array.from({ length: 2 + dice.roll(4) }, () => (dice.chance(0.15) ? copyLine(dice, [], names) : runLine(dice)))];
}

const words = [
  "a",
  "$A",
  "${A}",
  "${B:-d}",
  "${B:+x}",
  "'q $A'",
  '"q $A"',
  "a\\ b",
  "\\$A",
  "${A#v}",
  "${A%%l*}",
  "${A/a/b}",
  "$A$B",
  "x=y",
  "a;b",
  "#n",
  "ü",
  "$$",
  "${Z}",
  '""',
  "''",
] as const;
const keys = ["A", "B", "C", "PATH", "HTTP_PROXY"] as const;

function configLine(dice: Dice): string {
  const word = (): string => dice.pick(words);
  const key = (): string => dice.pick(keys);
  const json = (): string => JSON.stringify(Array.from({ length: 1 + dice.roll(3) }, word));
  return dice.pick([
    () => `ENV ${key()}=${word()} ${key()}=${word()}`,
    () => `ENV ${key()} ${word()} ${word()}`,
    () => `ARG ${key()}=${word()}`,
    () => `ARG ${key()}`,
    () => `LABEL ${word()}=${word()} k${dice.roll(3)}=${word()}`,
    () => `LABEL ${key()} ${word()}`,
    () => `WORKDIR ${dice.pick(["/w", "x", "..", "$A", "/a/$B/c", "${B:-/q}"])}`,
    () => `USER ${dice.pick(["daemon", "5:6", "${B:-nobody}", "0"])}`,
    () => `EXPOSE ${dice.pick(["80", "80/TCP 90-92/udp", "$A", "8080:80", "443/sctp", "1-3"])}`,
    () => `VOLUME ${dice.pick(["/v", '["/v", "/w x"]', "$A /b", "/v /v"])}`,
    () => `CMD ${dice.chance(0.5) ? json() : `${word()} ${word()}`}`,
    () => `ENTRYPOINT ${dice.chance(0.5) ? json() : `${word()} ${word()}`}`,
    () => `SHELL ${dice.pick(['["/bin/sh", "-ec"]', '["/bin/sh", "-c"]'])}`,
    () => `STOPSIGNAL ${dice.pick(["SIGTERM", "9", "term"])}`,
    () =>
      `HEALTHCHECK ${dice.pick(["NONE", "CMD true", "--interval=5s --retries=3 CMD x $A", '--timeout=1m CMD ["x", "$A"]', "--start-period=0s CMD true", '--start-interval=2s CMD ["a"]'])}`,
    () => `MAINTAINER ${word()} ${word()}`,
    () => `ONBUILD ${dice.pick(["RUN x", "COPY a b", "ENV A=1", "run  x \\\n  y"])}`,
    () => `RUN echo ${word()} >/out-${dice.roll(3)}; echo "$A|$B|$C" >>/env`,
    () => `RUN ["sh", "-c", ${JSON.stringify(`echo ${word()} >/j`)}]`,
  ])();
}

function configLines(dice: Dice): readonly string[] {
  const globals = dice.chance(0.3) ? [`ARG A=${dice.pick(words)}`, "ARG T=base"] : [];
  const from = globals.length > 0 && dice.chance(0.5) ? "FROM ${T}" : dice.chance(0.1) ? "FROM scratch" : "FROM base";
  const body = Array.from({ length: 2 + dice.roll(6) }, () => configLine(dice));
  const second = dice.chance(0.25)
    ? [`FROM ${dice.pick(["base", "0", "first"])} AS second`, ...Array.from({ length: 1 + dice.roll(3) }, () => configLine(dice))]
    : [];
  return [...globals, `${from} AS first`, ...body, ...second];
}
