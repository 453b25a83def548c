/**
 * Whole Dockerfiles by chance: several stages that build on and copy from one another, heredocs, mounts, variables in every place,
 * ONBUILD, exclusions, an ignore file. Unlike the other kinds, most of them build.
 */
import type { Dice } from "./dice.ts";

/** What is surely there when a line is written, so that most lines have something to work on. */
interface Stage {
  readonly name: string;
  readonly isScratch: boolean;
  readonly paths: string[];
}

const folders = ["/app", "/srv/www", "/opt/tool", "/etc/x", "/usr/local/bin", "/home/user", "/data", "/l"] as const;
const leaves = ["main", "run.sh", "conf.d/a.conf", "lib/x.so", "index.html", ".env", "f.txt"] as const;
const owners = ["5:6", "0", "daemon", "nobody:users", "1000:1000", "${OWNER}", "65534"] as const;
const modes = ["0600", "755", "4711", "u+x", "go-rwx", "u=rwX,go=rX", "a+X", "${MODE}"] as const;
const values = ["a", "v1.2", "x y", "$A", "${A}", "${B:-d}", "${B:+x}", "${A#v}", "${A%.*}", "${A/1/2}", "\\$A", "'$A'", "ü", "#n", "a\\\\b", ""] as const;

const quoted = (dice: Dice): string => {
  const value = dice.pick(values);
  return value.includes(" ") || dice.chance(0.4) ? `"${value}"` : value;
};

export function mixedLines(dice: Dice, known: readonly string[]): readonly string[] {
  const count = 1 + dice.roll(4);
  const stages: Stage[] = [];
  const lines: string[] = [];
  if (dice.chance(0.15)) lines.push(dice.pick(["# syntax-like comment", "# escape=\\", "# check=skip=all"]));
  const globals = dice.chance(0.4);
  if (globals) lines.push(`ARG A=v1.2`, dice.chance(0.5) ? `ARG BASE=base` : `ARG BASE=\${NONE:-base}`);
  for (let at = 0; at < count; at++) {
    const stage = openStage(dice, stages, at, globals);
    lines.push(stage.line, ...declarations(dice));
    const body = 1 + dice.roll(5);
    for (let step = 0; step < body; step++) lines.push(...stageStep(dice, stage.stage, stages, known));
    stages.push(stage.stage);
    if (dice.chance(0.3)) lines.push("", "# next");
  }
  return lines.map((line) => (dice.chance(0.05) && line.startsWith("COPY ") ? line.replace("COPY ", "copy   ") : line));
}

function openStage(dice: Dice, stages: readonly Stage[], at: number, globals: boolean): { readonly line: string; readonly stage: Stage } {
  const name = `s${at}`;
  const earlier = stages.length > 0 && dice.chance(0.35) ? dice.pick(stages) : undefined;
  if (earlier !== undefined) return { line: `FROM ${earlier.name} AS ${name}`, stage: { name, isScratch: earlier.isScratch, paths: [...earlier.paths] } };
  if (dice.chance(0.12)) return { line: `FROM scratch AS ${name}`, stage: { name, isScratch: true, paths: [] } };
  const base = globals ? dice.pick(["base", "$BASE", "${BASE}", "${BASE:-none}"]) : "base";
  return { line: `FROM ${base} AS ${dice.chance(0.1) ? name.toUpperCase() : name}`, stage: { name, isScratch: false, paths: ["/etc/group", "/bin/vi"] } };
}

function declarations(dice: Dice): readonly string[] {
  const lines = [`ARG OWNER=7:8`, `ENV MODE=0640`];
  if (dice.chance(0.4)) lines.push("ARG A");
  if (dice.chance(0.3)) lines.push(`ARG B=${quoted(dice)}`);
  if (dice.chance(0.3)) lines.push(`ENV A=${quoted(dice)} C=${quoted(dice)}`);
  return lines;
}

function stageStep(dice: Dice, stage: Stage, stages: readonly Stage[], known: readonly string[]): readonly string[] {
  const kind = dice.roll(20);
  if (kind <= 5) return [contextCopy(dice, stage, known)];
  if (kind <= 8 && stages.some(({ paths }) => paths.length > 0)) return [stageCopy(dice, stage, stages)];
  if (kind === 9) return heredocCopy(dice, stage);
  if (kind <= 13 && !stage.isScratch) return runStep(dice, stage, stages);
  if (kind === 14) return [`WORKDIR ${dice.pick(["/app", "sub", "/srv/$A", "${B:-/data}", "..", "/l/./x/"])}`];
  if (kind === 15) return [`USER ${dice.pick(["daemon", "5:6", "nobody:users", "root", "${OWNER}"])}`];
  if (kind === 16) return [dice.pick([`ONBUILD RUN echo on >>/onbuild`, `ONBUILD COPY . /on/`, `ONBUILD ENV ON=$A`, `ONBUILD WORKDIR /onb`])];
  if (kind === 17) return [`ENV ${dice.pick(["A", "B", "C", "PATH_X"])}=${quoted(dice)}`];
  if (kind === 18) return [`VOLUME ${dice.pick(["/data", '["/srv", "/app"]', "/etc/x /l"])}`];
  return [dice.pick([`LABEL l.$A=${quoted(dice)}`, `CMD ["x", "$A"]`, `ENTRYPOINT run $A`, `EXPOSE 80/tcp ${dice.roll(9) + 1}`, `SHELL ["/bin/sh", "-ec"]`])];
}

function flagsOf(dice: Dice): readonly string[] {
  const flags: string[] = [];
  if (dice.chance(0.25)) flags.push(`--chown=${dice.pick(owners)}`);
  if (dice.chance(0.25)) flags.push(`--chmod=${dice.pick(modes)}`);
  if (dice.chance(0.15)) flags.push("--link");
  if (dice.chance(0.15)) flags.push(`--exclude=${dice.pick(["*.txt", "**/a", "d1", "d?/*", "!f.txt", "**/.h", "lib"])}`);
  return flags;
}

function target(dice: Dice, stage: Stage): string {
  const folder = dice.pick(folders);
  if (dice.chance(0.5)) return `${folder}/`;
  const path = `${folder}/${dice.pick(leaves)}`;
  stage.paths.push(path);
  return path;
}

function contextCopy(dice: Dice, stage: Stage, known: readonly string[]): string {
  const name = dice.chance(0.25) ? "ADD" : "COPY";
  const one = (): string => {
    if (known.length === 0 || dice.chance(0.2)) return dice.pick([".", "*", "./", "[a-f]*"]);
    const path = dice.pick(known);
    return dice.chance(0.25) ? path.replace(/[^/]+$/, (leaf) => `${leaf.slice(0, 1)}*`) : path;
  };
  const sources = dice.chance(0.2) ? [one(), one()] : [one()];
  const to = sources.length > 1 || sources.some((source) => source.includes("*")) ? `${dice.pick(folders)}/` : target(dice, stage);
  return dice.chance(0.15) ? `${name} ${flagsOf(dice).join(" ")} ${JSON.stringify([...sources, to])}` : [name, ...flagsOf(dice), ...sources, to].join(" ");
}

function stageCopy(dice: Dice, stage: Stage, stages: readonly Stage[]): string {
  const from = dice.pick(stages.filter(({ paths }) => paths.length > 0));
  const path = dice.pick(from.paths);
  const source = dice.pick([path, path, path.replace(/\/[^/]+$/, "/"), path.replace(/[^/]+$/, "*")]);
  const by = dice.chance(0.3) ? String(stages.indexOf(from)) : from.name;
  return ["COPY", `--from=${by}`, ...flagsOf(dice), source, source.endsWith("*") ? `${dice.pick(folders)}/` : target(dice, stage)].join(" ");
}

function heredocCopy(dice: Dice, stage: Stage): readonly string[] {
  const raw = dice.chance(0.4);
  const dash = dice.chance(0.3) ? "-" : "";
  const word = raw ? '"EOF"' : "EOF";
  const body = ["one $A", "\ttwo ${B:-b} \\$C", "  three", "\\\\ end"].slice(0, 1 + dice.roll(4));
  const to = dice.chance(0.3) ? `${dice.pick(folders)}/` : target(dice, stage);
  return [
    `COPY ${flagsOf(dice)
      .filter((flag) => !flag.startsWith("--exclude"))
      .join(" ")} <<${dash}${word} ${to}`,
    ...body,
    `${dash === "" ? "" : "\t"}EOF`,
  ];
}

function runStep(dice: Dice, stage: Stage, stages: readonly Stage[]): readonly string[] {
  const path = `${dice.pick(folders)}/${dice.pick(leaves)}`;
  const make = `mkdir -p $(dirname ${path}) && echo "$A|$B|$C" >${path}`;
  const mount = dice.chance(0.35) ? `${mountFlag(dice, stages)} ` : "";
  const user = `(id -u; id -g; pwd) >/tmp/who 2>/dev/null; true`;
  const form = dice.roll(8);
  if (form <= 2) stage.paths.push(path);
  if (form === 0) return [`RUN ${mount}<<EOF`, "set -u", make, "echo $0 $# >>/tmp/zero", "EOF"];
  if (form === 1) return [`RUN ${mount}${make} \\`, "  # a comment inside", `  && chmod ${dice.pick(["700", "4755", "640"])} ${path}`];
  if (form === 2) return [`RUN ${mount}${make}; touch -d @1200000001 ${path}`];
  if (form === 3) return [`RUN ["/bin/sh", "-c", "echo \\"$A\\" >/tmp/j; ${user}"]`];
  if (form === 4) return [`RUN ${mount}rm -rf ${dice.pick([path, dice.pick(folders), "/tmp/*"])}`];
  if (form === 5) return [`RUN ${mount}ls /m /cache /ctx >/tmp/ls 2>&1; ${user}`];
  if (form === 6) return [`RUN <<EOF cat >/tmp/cat`, "  $A and ${A}", "EOF"];
  return [`RUN mkdir -p /x/y && ln -s ../y /x/y/self && ln /bin/vi /x/vi 2>/dev/null; ${user}`];
}

function mountFlag(dice: Dice, stages: readonly Stage[]): string {
  const from = stages.length > 0 ? `from=${dice.pick(stages).name},` : "";
  return dice.pick([
    `--mount=type=bind,${from}target=/m`,
    `--mount=type=bind,target=/ctx,rw`,
    `--mount=type=cache,target=/cache,uid=5,gid=6,mode=0700`,
    `--mount=type=cache,id=c$A,target=/app/cache`,
    `--mount=type=tmpfs,target=/tmp/t`,
    `--mount=type=secret,id=none,target=/m`,
    `--mount=type=secret,id=none,env=SECRET`,
    `--network=none`,
    `--mount=type=cache,${from}target=/cache`,
  ]);
}

/** An ignore file for a third of the cases. */
export function mixedIgnore(dice: Dice, known: readonly string[]): readonly string[] {
  if (!dice.chance(0.35)) return [];
  const line = (): string => {
    const path = known.length > 0 ? dice.pick(known) : "a";
    return dice.pick([
      path,
      `!${path}`,
      `${path}/`,
      `/${path}`,
      "*",
      "**/a",
      "!**/f.txt",
      "d*/",
      "*.txt",
      "!d1/",
      "d1/**",
      "?",
      "# comment",
      "  b  ",
      `./${path}`,
      `!${path}/../c`,
    ]);
  };
  return ["-- .dockerignore", ...Array.from({ length: 1 + dice.roll(4) }, line)];
}
