/** Cases by chance of what the plain kinds leave out: quoting and expansion, stages and triggers, mounts, patterns that choose files. */
import type { Dice } from "./dice.ts";

export const wideKinds = ["words", "stages", "mounts", "select"] as const;
export type WideKind = (typeof wideKinds)[number];

/** In the case files' notation. */
export function makeWideCase(dice: Dice, kind: WideKind, name: string): string {
  const [header, lines, context] = parts[kind](dice);
  return [`== ${name}`, ...header, "-- Dockerfile", ...lines, ...context, ""].join("\n");
}

type Parts = readonly [header: readonly string[], dockerfile: readonly string[], context: readonly string[]];

const parts: Readonly<Record<WideKind, (dice: Dice) => Parts>> = {
  words: (dice) => [argumentsOf(dice), wordLines(dice), ["-- f", "text", "-- d/g", "text"]],
  stages: (dice) => [[...argumentsOf(dice), ...targetOf(dice)], stageLines(dice), ["-- f", "text", "-- d/g", "text"]],
  mounts: (dice) => [[], mountLines(dice), ["-- f", "text", "-- d/g 0600", "text", "-- d/e/h", "text", "-- l -> d"]],
  select: (dice) => [[], selectLines(dice), selectContext(dice)],
};

const several = <Value>(dice: Dice, most: number, one: () => Value): readonly Value[] => Array.from({ length: 1 + dice.roll(most) }, one);
const variables = ["A", "B", "C", "V"] as const;

function argumentsOf(dice: Dice): readonly string[] {
  const values = ["x", "", "'a b'", "v1.2.3", "/p/q", "'$A'", "'a:b'"] as const;
  return dice.chance(0.4) ? several(dice, 2, () => `args: --build-arg ${dice.pick(variables)}=${dice.pick(values)}`) : [];
}

const targetOf = (dice: Dice): readonly string[] => (dice.chance(0.3) ? [`args: --target ${dice.pick(["one", "TWO", "three", "s", "base"])}`] : []);

/** One expansion, nested at times. */
function expansion(dice: Dice, depth = 2): string {
  const name = dice.pick(variables);
  if (dice.chance(0.4)) return dice.pick([`$${name}`, `\${${name}}`, `$${name}x`, `\${${name}}_${name}`]);
  const inner =
    depth > 0 && dice.chance(0.4) ? expansion(dice, depth - 1) : dice.pick(["d", "v*", "*.", "/", "?", "[a-v]", "", "\\}", "'q'", '"q"', "a b", "\\$A", "."]);
  const operator = dice.pick([":-", ":+", ":?", "-", "+", "?", "#", "##", "%", "%%"]);
  if (dice.chance(0.2)) return `\${${name}${dice.pick(["/", "//"])}${inner}/${dice.pick(["X", "", "$A", "\\/"])}}`;
  return `\${${name}${operator}${inner}}`;
}

function word(dice: Dice): string {
  const pieces = several(dice, 3, () =>
    dice.pick([
      () => expansion(dice),
      () => expansion(dice),
      () => `"${expansion(dice)}"`,
      () => `'${expansion(dice)}'`,
      () => `"a ${expansion(dice)} b"`,
      () =>
        dice.pick([
          "a",
          "b=c",
          "\\\\",
          "\\ ",
          '\\"',
          "\\'",
          "\\$",
          "#",
          "ü",
          "~",
          "%",
          "\\n",
          "\\a",
          "{",
          "}",
          "`",
          "=",
          ",",
          ";",
          "<",
          "[",
          "*",
          "''",
          '""',
          "$$",
          "$",
          "${}",
          "${A",
          '"',
          "'",
        ]),
      () => dice.pick(["a", "x", "1", ".", "/", "-", "v1"]),
    ])(),
  );
  return pieces.join("");
}

const jsonOf = (words: readonly string[]): string => `[${words.map((one) => JSON.stringify(one)).join(", ")}]`;

function wordLine(dice: Dice): string {
  const one = (): string => word(dice);
  const name = (): string => dice.pick(variables);
  return dice.pick([
    () => `ENV ${several(dice, 3, () => `${name()}=${one()}`).join(" ")}`,
    () => `ENV ${name()} ${one()} ${one()}`,
    () => `ARG ${several(dice, 2, () => `${name()}${dice.chance(0.7) ? `=${one()}` : ""}`).join(" ")}`,
    () =>
      `LABEL ${several(dice, 3, () => `${dice.pick(["k", "k.l", "$A", '"q k"', one()])}=${one()}`).join(dice.pick([" ", "  ", " \\\n  ", " \\\n# comment\n  "]))}`,
    () => `WORKDIR ${one()}`,
    () => `USER ${one()}`,
    () => `EXPOSE ${one()} ${dice.pick(["80", "81/udp", "90-91", "${A:-82}", "1:2"])}`,
    () => `VOLUME ${dice.chance(0.5) ? one() : jsonOf([one(), one()])}`,
    () => `STOPSIGNAL ${dice.pick(["${A:-9}", "SIG${B:-INT}", "$V", "15", one()])}`,
    () => `CMD ${dice.chance(0.5) ? one() : jsonOf([one(), one()])}`,
    () => `ENTRYPOINT ${dice.chance(0.3) ? one() : jsonOf([one()])}${dice.chance(0.1) ? "," : ""}`,
    () => `SHELL ${jsonOf(["/bin/sh", dice.pick(["-c", "-ec", "$A"])])}`,
    () => `MAINTAINER ${one()}`,
    () => `HEALTHCHECK ${dice.pick(["", "--interval=${A:-5s} ", "--retries=$A ", "--timeout=1500ms "])}CMD ${one()}`,
    () => `ONBUILD ${dice.pick(["ENV A=", "LABEL x=", "USER ", "WORKDIR /"])}${one()}`,
    () => `COPY f ${dice.pick(["/", "/x/", ""])}${one()}`,
    () => `COPY ${dice.pick(["--chown=", "--chmod=", "--from="])}${one()} f /c`,
    () => `ADD ${dice.pick(["${A:-f}", "${B:-d}", '["f"', one()])} /y/`,
    () => `COPY <<${dice.pick(["E", '"E"', "-E", "'E'"])} /h${dice.roll(3)}\n\t${one()}\n${one()}\nE`,
    () => `RUN printf '%s|' "$A" "$B" "$C" "$V" >>/env`,
    () => `RUN <<E${dice.pick(["", "", " cat >/hd"])}\necho "$A" >>/env\nE`,
    () => dice.pick(["# comment", "", "   ", "  # indented", "\t"]),
  ])();
}

function wordLines(dice: Dice): readonly string[] {
  const directives = dice.chance(0.15)
    ? [dice.pick(["# escape=`", "# escape=\\", "#syntax=x/y", "# check=skip=all", "# unknown=x"])].filter((line) => !line.includes("syntax"))
    : [];
  const globals = dice.chance(0.4) ? several(dice, 3, () => `ARG ${dice.pick(variables)}=${word(dice)}`) : [];
  const values = dice.chance(0.7) ? [`${dice.pick(["ENV", "ARG"])} A=v1.2.3 V="foo bar/foo.txt"`] : [];
  const from = globals.length > 0 && dice.chance(0.3) ? "FROM ${A:+base}" : "FROM base";
  return [...directives, ...globals, from, ...values, ...several(dice, 4, () => wordLine(dice))];
}

const stageNames = ["one", "two", "Three", "s", "base", "scratch"] as const;

function stageBody(dice: Dice, number: number): readonly string[] {
  const from = (): string => dice.pick(["one", "two", "three", "0", "1", "s", "ONE", "base", "${A}", "2", "-1", "01"]);
  return several(dice, 3, () =>
    dice.pick([
      () => `RUN echo ${number} >>/log`,
      () => `RUN echo "$A|$B|$TARGETSTAGE|$TARGETARCH" >>/log`,
      () => `COPY --from=${from()} /log /log-${number}`,
      () => `COPY --from=${from()} /lo[g] /etc/group /from/`,
      () => `COPY ${dice.pick(["f", "d", "."])} /in${number}/`,
      () => `ARG ${dice.pick(variables)}${dice.chance(0.5) ? `=${dice.pick(["1", "$A", "${B:-z}", "base", "one"])}` : ""}`,
      () => `ARG ${dice.pick(["TARGETSTAGE", "TARGETARCH", "BUILDPLATFORM", "TARGETVARIANT"])}`,
      () => `ENV ${dice.pick(variables)}=${dice.pick(["e", "$A", "${C}$B"])}`,
      () =>
        `ONBUILD ${dice.pick(["RUN echo trigger >>/log", "COPY f /onbuild", "ENV A=onbuild", "ARG B=onbuild", "WORKDIR sub", "COPY --from=one /log /ob", "LABEL l=$A", "USER daemon", "ADD d /ad/", "RUN --mount=type=bind,from=one,target=/m cat /m/log >>/log", "CMD x", 'ENTRYPOINT ["e"]', "FROM base", "ONBUILD RUN x", "MAINTAINER me", "HEALTHCHECK NONE"])}`,
      () => `RUN --mount=${dice.pick(["", "type=bind,", "type=cache,id=stages,"])}from=${from()},target=/m ls /m >>/log; true`,
      () =>
        dice.pick([
          "CMD c",
          "ENTRYPOINT e",
          "WORKDIR w",
          "USER nobody",
          "LABEL a=b",
          "VOLUME /v",
          "EXPOSE 1",
          'SHELL ["/bin/sh", "-xc"]',
          "STOPSIGNAL 9",
          "HEALTHCHECK CMD t",
        ]),
    ])(),
  );
}

function stageLines(dice: Dice): readonly string[] {
  const globals = dice.chance(0.5) ? several(dice, 2, () => `ARG ${dice.pick(variables)}=${dice.pick(["base", "one", "scratch", "x", "$A", "0"])}`) : [];
  const count = 1 + dice.roll(4);
  const stages = Array.from({ length: count }, (_, number) => {
    const base = dice.pick(["base", "base", "base", "one", "two", "three", "ONE", "scratch", "${A:-base}", "$A", "0", "s", "base:latest"]);
    const platform = dice.chance(0.1) ? `--platform=${dice.pick(["$BUILDPLATFORM", "linux/amd64", "$TARGETPLATFORM", "linux"])} ` : "";
    return [
      `FROM ${platform}${base}${dice.chance(0.8) ? ` ${dice.pick(["AS", "as"])} ${dice.chance(0.7) ? (stageNames[number] ?? "s") : dice.pick(stageNames)}` : ""}`,
      ...stageBody(dice, number),
    ];
  });
  return [...globals, ...stages.flat()];
}

function mountOf(dice: Dice): string {
  const target = (): string => dice.pick(["/m", "m", "/out/deep/m", "/etc", "/tmp", "/home/x", "/s/f", "/var/m/", "./m", "/m/../n", "$A", "/etc/group", "/l"]);
  const owner = (): string =>
    `${dice.chance(0.3) ? `,uid=${dice.pick(["5", "0", "1000"])}` : ""}${dice.chance(0.3) ? `,gid=6` : ""}${dice.chance(0.3) ? `,mode=${dice.pick(["0700", "755", "01777", "0"])}` : ""}`;
  const write = (): string => dice.pick(["", "", ",rw", ",ro", ",readonly=false", ",readwrite", ",rw=true"]);
  const source = (): string => dice.pick(["", "", ",source=d", ",source=/s", ",src=f", ",source=/s/e", ",source=nope", ",source=.", ",source=l", ",source=/"]);
  const from = (): string => dice.pick(["", "", ",from=one", ",from=base", ",from=0", ",from=scratch"]);
  return dice.pick([
    () => `type=bind,target=${target()}${source()}${from()}${write()}`,
    () => `type=bind,from=one,source=/s,target=${target()}${write()}`,
    () => `target=${target()}`,
    () =>
      `type=cache,id=mounts-${dice.roll(3)}-${dice.roll(1_000_000)},target=${target()}${owner()}${dice.pick(["", ",sharing=locked", ",sharing=private", ",ro"])}`,
    () => `type=cache,id=mounts-f${dice.roll(1_000_000)},target=${target()},from=one${dice.pick(["", ",source=/s", ",source=/s/e", ",source=/etc"])}${owner()}`,
    () => `type=tmpfs,target=${target()}${dice.pick(["", "", ",size=1m", ",size=64k", ",size=x"])}`,
    () => `type=secret,id=none${dice.pick(["", ",required=false", `,target=${target()}`, ",env=A", `,mode=0400,uid=5`])}`,
    () =>
      dice.pick([
        "type=bind",
        "type=x,target=/m",
        "type=cache",
        "type=cache,target=/",
        "type=tmpfs,target=/m,ro",
        "type=bind,target=/m,uid=5",
        "type=ssh",
        "type=secret",
        "type=bind,target=/m,foo=bar",
        "type=cache,target=/m,mode=9",
        "type=cache,target=/m,sharing=x",
        "readonly,target=/m",
      ]),
  ])();
}

function mountLines(dice: Dice): readonly string[] {
  const step = (): string => {
    const mounts = several(dice, 2, () => `--mount=${mountOf(dice)}`);
    const look = "P=$(stat -c '%a %u %g %F' /m /n m /out/deep/m /etc /tmp /home/x /s/f /var/m /l /etc/group 2>/dev/null)";
    const commands = dice.pick([
      'echo "$P" >>/log',
      'echo "$P" >/log; echo x >/m/new || echo ro >>/log',
      "ls -A /m /out/deep/m /home/x /var/m >>/log 2>/dev/null",
      "echo y >m/new; cat m/new >>/log",
      "touch /etc/new /tmp/new",
      "mkdir -p /m/k /out/deep/m/k; rmdir /m/k",
    ]);
    return `RUN ${mounts.join(" ")} ${look}; ${commands}; true`;
  };
  const first = [
    "FROM base AS one",
    "RUN mkdir -p /s/e && echo s >/s/f && echo g >/s/e/g && chmod 700 /s/e && chown -R 3:4 /s && ln -s /s /l && touch -d @1000000001 /s/e/g /s/f /s/e /s",
  ];
  const second = dice.chance(0.6) ? [dice.pick(["FROM base", "FROM one", "FROM base\nUSER daemon", "FROM base\nWORKDIR /out"])] : [];
  return [...first, ...second, ...(dice.chance(0.2) ? ["ARG A=/m"] : []), ...several(dice, 3, step)];
}

const selectNames = ["a", "b.txt", "c.md", "dir", "sub", ".dot", "x y", "[z]", "q?"] as const;

function selectPath(dice: Dice, depth = 3): string {
  return several(dice, depth, () => dice.pick(selectNames)).join("/");
}

function selectPattern(dice: Dice): string {
  const piece = (): string =>
    dice.pick(["*", "**", "a", "b.txt", "*.md", "dir", "sub", ".*", "?", "[a-d]*", "[^a]", "**.txt", "*.t?t", "\\*", "x*y", "\\[z\\]", "d*", "..", "."]);
  return `${dice.chance(0.25) ? "!" : ""}${dice.pick(["", "", "", "/", "./", "**/"])}${several(dice, 3, piece).join("/")}${dice.pick(["", "", "", "/", "/**", "/*"])}`;
}

function selectContext(dice: Dice): readonly string[] {
  const kinds = new Map<string, boolean>();
  const sections: string[] = [];
  for (let at = 0; at < 4 + dice.roll(8); at++) {
    const path = selectPath(dice);
    const pieces = path.split("/");
    const parents = pieces.slice(0, -1).map((_, index) => pieces.slice(0, index + 1).join("/"));
    if (kinds.has(path) || parents.some((parent) => kinds.get(parent) === false)) continue;
    for (const parent of parents) kinds.set(parent, true);
    const isDirectory = dice.chance(0.15);
    kinds.set(path, isDirectory);
    const link = dice.chance(0.15) ? ` -> ${dice.pick(["a", "../dir", "sub", "/dir", "dir/a", "nothing"])}` : "";
    sections.push(
      `-- ${JSON.stringify(`${path}${isDirectory ? "/" : ""}`)}${isDirectory ? (dice.chance(0.3) ? " 0700" : "") : link}`,
      ...(isDirectory || link !== "" ? [] : [`content ${at}`]),
    );
  }
  const ignore = dice.chance(0.6)
    ? ["-- .dockerignore", ...several(dice, 4, () => (dice.chance(0.1) ? dice.pick(["# comment", "", "  a  ", "!", "/", "."]) : selectPattern(dice)))]
    : [];
  return [...sections, ...ignore];
}

function selectLines(dice: Dice): readonly string[] {
  const source = (): string =>
    dice.pick([".", ".", "dir", "dir/", "sub", "*", "a", "d*", "*/*", "**/*.md", "**", "dir/**", "x\\ y", "[[]z]", "*.txt", ".dot", "./", "/"]);
  const flags = (): string => {
    const excludes = dice.chance(0.6) ? several(dice, 3, () => `--exclude=${selectPattern(dice)} `).join("") : "";
    return `${excludes}${dice.pick(["", "", "", "--link ", "--chmod=u=rwX,go= ", "--chmod=a-x,u+w,o=g ", "--chmod=+t ", "--chmod=g+s,o-r ", "--chmod=u=g,g=o ", "--chown=5:6 ", "--chmod=-w "])}`;
  };
  const copy = (number: number): string => {
    const sources = several(dice, 2, source);
    const keyword = dice.pick(["COPY", "COPY", "ADD"]);
    if (dice.chance(0.1)) return `${keyword} ${flags()}${jsonOf([...sources.map((one) => one.replaceAll("\\", "")), `/j ${number}/`])}`;
    const from = keyword === "COPY" && dice.chance(0.3) ? "--from=all " : "";
    return `${keyword} ${from}${flags()}${sources.map((one) => (from === "" ? one : `/all/${one.replace(/^\.?\//, "")}`)).join(" ")} /o${number}${dice.pick(["", "/", "/sub/"])}`;
  };
  const links = dice.chance(0.3) ? [`RUN mkdir -p /t && ln -s ${dice.pick(["/t", "t", "../t", "nowhere", "/etc"])} /o1`] : [];
  const body = Array.from({ length: 1 + dice.roll(3) }, (_, at) => copy(at + 1));
  return ["FROM base AS all", "COPY . /all", "FROM base", ...links, ...body];
}
